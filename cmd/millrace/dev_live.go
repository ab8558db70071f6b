package main

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// liveInterval is how often the counts are shown.
const liveInterval = time.Second

// live runs the demo, if there is one, and then shows what moves until ctx ends.
func (d *devCommand) live(ctx context.Context, c *console, started *cloud, demo *demosink.Server) {
	if demo != nil {
		runDemo(ctx, c, started, demo)
	}
	screen := newScreen(c)
	ticker := time.NewTicker(liveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			screen.show(started.books())
		}
	}
}
