package sinktest

import (
	"io"
	"log"
	"sync/atomic"
)

// counter counts from several goroutines.
type counter struct{ n atomic.Int64 }

func (c *counter) add()     { c.n.Add(1) }
func (c *counter) get() int { return int(c.n.Load()) }

// discardLog keeps net/http from printing the handshakes that a test breaks on purpose.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
