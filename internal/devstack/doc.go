// Package devstack is the shape of Millrace on the embedded AWS: the two queues, the three functions, the mapping between them
// and the front door. `millrace dev` and the chaos suite start the same one.
//
//	front door ──► millrace-ingest ──► queue millrace ──► mapping ──► millrace-flush ──► sinks
//	                                        ▲    │                         │
//	                                        │    ▼ (received too often)    │
//	                       millrace-replay ─┴── queue millrace-dlq ◄───────┘
package devstack
