package batch

import (
	"encoding/binary"
	"time"
	"unsafe"

	"github.com/millrace-dev/millrace/pkg/event"
)

// appendSection appends the events section (see the package documentation).
func appendSection(dst []byte, events []event.Event) []byte {
	groups, index := groupTable(events)
	dst = binary.AppendUvarint(dst, uint64(len(groups)))
	for _, g := range groups {
		dst = appendString(dst, g)
	}
	for i := range events {
		dst = appendFrame(dst, &events[i], index[events[i].Group])
	}
	return dst
}

// groupTable lists the distinct groups in order of appearance, and where each stands.
func groupTable(events []event.Event) (groups []string, index map[string]uint64) {
	index = make(map[string]uint64, 1)
	for i := range events {
		g := events[i].Group
		if _, known := index[g]; !known {
			index[g] = uint64(len(groups))
			groups = append(groups, g)
		}
	}
	return groups, index
}

func appendFrame(dst []byte, e *event.Event, group uint64) []byte {
	var timeBuf [2 * binary.MaxVarintLen64]byte
	stamp := appendTime(timeBuf[:0], e.Time)
	size := uvarintLen(group) + stringSize(len(stamp)) + stringSize(len(e.Data))
	for _, s := range fields(e) {
		size += stringSize(len(*s))
	}
	dst = binary.AppendUvarint(dst, uint64(size)) //nolint:gosec // a sum of lengths
	for _, s := range fields(e) {
		dst = appendString(dst, *s)
	}
	dst = appendString(dst, stamp)
	dst = binary.AppendUvarint(dst, group)
	return appendString(dst, e.Data)
}

// fields lists the text fields of a frame in wire order, for writing and reading.
func fields(e *event.Event) [8]*string {
	return [8]*string{&e.ID, &e.Source, &e.Type, &e.Name, &e.Subject, &e.Severity, &e.TraceID, &e.Kind}
}

func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond())) //nolint:gosec // 0 to 999,999,999
}

func stringSize(n int) int { return uvarintLen(uint64(n)) + n } //nolint:gosec // a length is never negative

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// EncodedSize is what an event takes up in an events section, before compression and
// without its group. It is also the size MaxEventBytes limits.
func EncodedSize(e *event.Event) int {
	n := stringSize(len(e.Data)) + 3*binary.MaxVarintLen64
	for _, s := range fields(e) {
		n += stringSize(len(*s))
	}
	return n
}

// section reads an events section. text is the same memory as data: the strings of all
// events, like their Data, alias the section, which is never written again.
type section struct {
	data []byte
	text string
	pos  int
}

func (s *section) uvarint() (uint64, bool) {
	v, n := binary.Uvarint(s.data[s.pos:])
	if n <= 0 {
		return 0, false
	}
	s.pos += n
	return v, true
}

// span reads a length and steps over that many bytes.
func (s *section) span() (from, to int, ok bool) {
	n, ok := s.uvarint()
	if !ok || n > uint64(len(s.data)-s.pos) { //nolint:gosec // pos never passes the end
		return 0, 0, false
	}
	from = s.pos
	s.pos += int(n) //nolint:gosec // bounded by the section's length just above
	return from, s.pos, true
}

func (s *section) string(dst *string) bool {
	from, to, ok := s.span()
	if ok {
		*dst = s.text[from:to]
	}
	return ok
}

// readSection reads the events that h announces.
func readSection(h *Header, data []byte) ([]event.Event, error) {
	//nolint:gosec // A copy would be as large as all events together, and held as long.
	s := section{data: data, text: unsafe.String(unsafe.SliceData(data), len(data))}
	groups, err := s.groups()
	if err != nil {
		return nil, err
	}
	// A frame is at least twelve bytes: a count that cannot fit allocates nothing.
	const minFrame = 12
	if h.Count > (len(data)-s.pos)/minFrame {
		return nil, corrupt("%d events announced, %d bytes left for them", h.Count, len(data)-s.pos)
	}
	events := make([]event.Event, h.Count)
	for i := range events {
		events[i].Tenant, events[i].Receiver = h.Tenant, h.Receiver
		if err := s.frame(&events[i], groups); err != nil {
			return nil, corrupt("event %d of %d: %v", i+1, h.Count, err)
		}
	}
	if s.pos != len(data) {
		return nil, corrupt("%d bytes after the last event", len(data)-s.pos)
	}
	return events, nil
}

func (s *section) groups() ([]string, error) {
	n, ok := s.uvarint()
	if !ok || n > uint64(len(s.data)-s.pos) { //nolint:gosec // pos never passes the end
		return nil, corrupt("group table does not fit the section")
	}
	groups := make([]string, n)
	for i := range groups {
		if !s.string(&groups[i]) {
			return nil, corrupt("group %d of %d does not fit the section", i+1, n)
		}
	}
	return groups, nil
}

// frameError says which field of a frame is broken.
type frameError string

func (e frameError) Error() string { return "unreadable " + string(e) }

func (s *section) frame(e *event.Event, groups []string) error {
	from, to, ok := s.span()
	if !ok {
		return frameError("frame length")
	}
	f := section{data: s.data[:to], text: s.text[:to], pos: from}
	for _, dst := range fields(e) {
		if !f.string(dst) {
			return frameError("text field")
		}
	}
	if e.Time, ok = f.time(); !ok {
		return frameError("time")
	}
	group, ok := f.uvarint()
	if !ok || group >= uint64(len(groups)) {
		return frameError("group index")
	}
	e.Group = groups[group]
	from, to, ok = f.span()
	if !ok {
		return frameError("data")
	}
	e.Data = f.data[from:to:to]
	return nil
}

func (s *section) time() (time.Time, bool) {
	from, to, ok := s.span()
	if !ok || from == to {
		return time.Time{}, ok
	}
	stamp := s.data[from:to]
	seconds, n := binary.Varint(stamp)
	if n <= 0 {
		return time.Time{}, false
	}
	nanos, m := binary.Uvarint(stamp[n:])
	if m <= 0 || nanos >= uint64(time.Second) || n+m != len(stamp) {
		return time.Time{}, false
	}
	return time.Unix(seconds, int64(nanos)).UTC(), true
}
