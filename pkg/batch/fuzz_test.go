package batch_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
)

// FuzzDecode feeds arbitrary messages: each is refused with one of the four errors, or
// holds what its header says and survives another round trip.
func FuzzDecode(f *testing.F) {
	good, err := batch.Encode(meta(), checkouts(3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good[0].Body), good[0].Events)
	f.Add([]byte(`{"v":1}`), []byte{})
	f.Add([]byte(`{"v":2,"id":"x"}`), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, body, blob []byte) {
		pack, err := batch.Decode(body, blob)
		if err != nil {
			if !errors.Is(err, batch.ErrNotPack) && !errors.Is(err, batch.ErrCorrupt) && !errors.Is(err, batch.ErrNewerVersion) &&
				!errors.Is(err, batch.ErrCheckedIn) {
				t.Fatalf("unclassified error %v", err)
			}
			return
		}
		if len(pack.Events) != pack.Header.Count {
			t.Fatalf("%d events, header says %d", len(pack.Events), pack.Header.Count)
		}
	})
}

// FuzzDecodeEvents feeds arbitrary sections behind a header that fits them, to get past
// the checksum.
func FuzzDecodeEvents(f *testing.F) {
	f.Add([]byte{0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 1)
	f.Add([]byte{1, 0, 13, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, '1'}, 1)
	f.Add([]byte{1, 2, '{', '}', 14, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, '{', '}'}, 1)
	f.Fuzz(func(t *testing.T, section []byte, count int) {
		h := batch.Header{
			Version: batch.Version, Tenant: "acme", Receiver: "posthog", Count: count, Bytes: len(section), Encoding: batch.EncodingIdentity,
			Sum: fmt.Sprintf("%08x", crc32.Checksum(section, crc32.MakeTable(crc32.Castagnoli))),
		}
		if count < 1 || count > batch.MaxEvents {
			return
		}
		events, err := batch.DecodeEvents(&h, section)
		if err != nil {
			if !errors.Is(err, batch.ErrCorrupt) {
				t.Fatalf("unclassified error %v", err)
			}
			return
		}
		messages, err := batch.Encode(meta(), events)
		if err != nil {
			return // an event may be over the limit of one event
		}
		again, err := batch.Decode([]byte(messages[0].Body), messages[0].Events)
		if err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
		if diff := cmp.Diff(events[:len(again.Events)], again.Events); diff != "" {
			t.Fatalf("round trip differs (-want +got):\n%s", diff)
		}
	})
}
