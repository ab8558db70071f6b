package localaws

import (
	"runtime"
	"runtime/debug"
)

const (
	// gcPercent is how much garbage may lie beside what lives when the next collection begins; with Go's own 100 a million queued messages
	// of 1 KB take 2.0 to 2.4 GB, with this 1.8. Less than this costs a deep queue too many collections.
	gcPercent = 40
	// ballastBytes counts as living and is never touched, so it takes no memory: with it a small heap has room for 32 MiB of garbage, where Go would
	// collect after every 4.
	ballastBytes = 80 << 20
)

// LeanHeap fits this process's garbage collector to an embedded AWS, which holds very little or very many messages: with a deep queue it stays
// below 2 KB resident a message of 1 KB, with an empty one it spends less on collections. The returned function undoes it.
func LeanHeap() (restore func()) {
	ballast := make([]byte, ballastBytes)
	before := debug.SetGCPercent(gcPercent)
	return func() {
		debug.SetGCPercent(before)
		runtime.KeepAlive(ballast)
	}
}
