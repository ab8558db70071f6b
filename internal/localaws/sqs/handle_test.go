package sqs

import "testing"

// FuzzParseHandle wants every text that is taken to be exactly what its handle encodes to.
func FuzzParseHandle(f *testing.F) {
	f.Add(uint64(7), handle{Queue: 7, Number: 3, Received: 2}.String())
	f.Add(uint64(8), handle{Queue: 7, Number: 3, Received: 2}.String())
	f.Add(uint64(0), "garbage")
	f.Fuzz(func(t *testing.T, queue uint64, text string) {
		h, err := parseHandle(queue, text)
		if err == nil && (h.String() != text || h.Queue != queue) {
			t.Errorf("parseHandle(%d, %q) = %+v, which is %q", queue, text, h, h)
		}
	})
}
