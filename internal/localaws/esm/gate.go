package esm

import "sync"

// gate holds the collector back while deliveries are being throttled. The zero value is open.
type gate struct {
	mu     sync.Mutex
	shuts  int
	opened chan struct{} // closed when the last shut was opened; nil while open
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shuts == 0 {
		g.opened = make(chan struct{})
	}
	g.shuts++
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shuts--; g.shuts == 0 {
		close(g.opened)
		g.opened = nil
	}
}

// wait returns when the gate is open; it reports false when stop came first.
func (g *gate) wait(stop <-chan struct{}) bool {
	for {
		g.mu.Lock()
		opened := g.opened
		g.mu.Unlock()
		if opened == nil {
			return true
		}
		select {
		case <-opened:
		case <-stop:
			return false
		}
	}
}
