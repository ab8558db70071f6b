// Package lifetime is how the services of the embedded AWS that work in the background end: drain, then cut.
//
//	New ──► open ── End ──► draining ── all work is done ──► ended
//	                           │                               ▲
//	                           └── End's context ends ──► cut ─┘
//
// While it is open, work may begin. While it drains, no new work begins, and nobody sleeps any more. When it is cut, the context of
// the work in progress ends.
package lifetime
