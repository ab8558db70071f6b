package sinktest

import "sync/atomic"

// counter counts from several goroutines.
type counter struct{ n atomic.Int64 }

func (c *counter) add()     { c.n.Add(1) }
func (c *counter) get() int { return int(c.n.Load()) }
