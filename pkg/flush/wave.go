package flush

import (
	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/queue"
)

// memoryBytes bounds what is unpacked at once. A flush at the smallest useful Lambda
// size, 128 MB, holds it with room for requests in compression. It is twice what one
// pack may hold, so that any pack fits.
const memoryBytes = 2 * batch.MaxSectionBytes

// span is a run of messages, from up to but without to.
type span struct{ from, to int }

// waves cuts messages into runs that are flushed one after another. A run is full when
// the next pack would bring it over four fifths of the memory; at the limit nothing is
// dropped or refused, packs simply wait for their wave, packed.
//
// Sizes are what the headers announce; twice that when the packed events are to be fetched
// first, for they are held, too. A header that lies does not help: fetching and unpacking
// stop at the size it announces.
func waves(messages []queue.Received) []span {
	const full = memoryBytes * 4 / 5
	var runs []span
	bytes := 0
	for i := range messages {
		size := announced(&messages[i])
		if last := len(runs) - 1; last >= 0 && bytes+size <= full {
			runs[last].to, bytes = i+1, bytes+size
			continue
		}
		runs, bytes = append(runs, span{i, i + 1}), size
	}
	return runs
}

func announced(m *queue.Received) int {
	h, err := batch.ParseHeader(m.Body)
	if err != nil {
		return len(m.Body) + len(m.Events)
	}
	if h.Claim != "" && m.Events == nil {
		return 2 * h.Bytes
	}
	return h.Bytes
}
