package chaos

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

const (
	// clockCount is how many clocks there are; the processes share them by their ids.
	clockCount = 8
	// envClocks tells functions that were compiled with testdata/clocks.go where the clocks are.
	envClocks = "CHAOS_CLOCKS"
)

// shifts are how far clocks jump: over leases and the window, which is short then. Further back, events would wait for longer than a run can.
var shifts = [...]time.Duration{0, -40 * time.Second, -time.Second, 20 * time.Second} //nolint:gochecknoglobals // a table

// clocks are a file with the shift of each clock in seconds, which the functions have in their memory.
type clocks struct{ file *os.File }

func newClocks(path string) (clocks, error) {
	file, err := os.Create(path)
	if err == nil {
		_, err = file.Write(make([]byte, 8*clockCount)) //nolint:mnd // bytes of a number
	}
	if err != nil {
		return clocks{}, fmt.Errorf("clocks: %w", err)
	}
	return clocks{file}, nil
}

// set moves a clock. The machine sees eight aligned bytes change at once.
func (c clocks) set(i int, shift time.Duration) {
	seconds := int64(shift / time.Second)
	text, _ := binary.Append(nil, binary.NativeEndian, seconds) // a number always has its bytes
	_, _ = c.file.WriteAt(text, int64(len(text)*i))             // a page that exists
}

// jump moves some clocks, and returns how many.
func (c clocks) jump(r *rand.Rand) int {
	moved := 0
	for i := range clockCount {
		if r.IntN(2) == 0 {
			c.set(i, shifts[r.IntN(len(shifts))])
			moved++
		}
	}
	return moved
}

// right sets all clocks right.
func (c clocks) right() {
	for i := range clockCount {
		c.set(i, 0)
	}
}
