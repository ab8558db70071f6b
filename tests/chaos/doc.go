// Package chaos runs the real bootstrap binaries on the embedded AWS while everything around them fails, and lets the oracle
// judge what came out. See README.md for the faults, the bound on duplicates and how to repeat a run.
//
//	clients ──► front door ──► ingest ──► queue ──► flush ──► sinks "one" and "two"
//	   │                        kill      fail       kill        refuse, hang, reset,
//	   │                                  lose       freeze      lie, be slow
//	   │                                  repeat     drain          │
//	   └──────── events ──────────► oracle ◄────────── deliveries ──┘
//
// A run is decided by its seed: which faults may happen, when, for how long and how often. The machine decides how
// processes interleave, so the same seed makes the same trouble, not always the same history.
package chaos
