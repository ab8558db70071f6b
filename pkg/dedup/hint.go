package dedup

import (
	"container/list"
	"sync"
	"time"
)

// hint is the memory of a warm environment: the keys that were last seen committed,
// the least recently used forgotten first. What it knows was confirmed by the store,
// so it may answer "duplicate"; what it does not know means nothing. Times are
// monotonic, so a changed clock does not make it forget or remember.
type hint struct {
	mu    sync.Mutex
	most  int
	keys  map[Key]*list.Element
	order *list.List // of *hinted, most recently used first
}

type hinted struct {
	key     Key
	content uint64
	until   time.Time
}

func newHint(most int) *hint {
	return &hint{most: most, keys: make(map[Key]*list.Element), order: list.New()}
}

// committed says whether a key is known to be committed, and with another content.
func (h *hint) committed(c Claim, now time.Time) (known, conflict bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.keys[c.Key]
	if at == nil {
		return false, false
	}
	entry := at.Value.(*hinted) //nolint:forcetypeassert // the list holds nothing else
	if !now.Before(entry.until) {
		h.order.Remove(at)
		delete(h.keys, c.Key)
		return false, false
	}
	h.order.MoveToFront(at)
	return true, differ(entry.content, c.Content)
}

// remember notes a committed key. The first content stays.
func (h *hint) remember(c Claim, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.most <= 0 || h.keys[c.Key] != nil {
		return
	}
	if h.order.Len() >= h.most {
		oldest := h.order.Back()
		delete(h.keys, oldest.Value.(*hinted).key) //nolint:forcetypeassert // the list holds nothing else
		h.order.Remove(oldest)
	}
	h.keys[c.Key] = h.order.PushFront(&hinted{key: c.Key, content: c.Content, until: until})
}

// differ compares checksums, of which zero is none.
func differ(a, b uint64) bool { return a != 0 && b != 0 && a != b }
