package sqs

// heapArity is the children per node: four keeps a heap of a million entries ten levels deep.
const heapArity = 4

// placed is an item that remembers its place in a heap, so that it can be moved and removed without a search.
type placed interface {
	place() int32
	setPlace(place int32)
}

// rank orders items: by key, equal keys by tie.
type rank struct {
	key, tie int64
}

func (r rank) before(other rank) bool {
	return r.key < other.key || r.key == other.key && r.tie < other.tie
}

// slot is an item with its rank beside it: comparing slots does not touch the items.
type slot[T placed] struct {
	rank
	item T
}

// heap is an indexed min-heap; every operation is O(log n). The zero value is empty.
type heap[T placed] struct {
	slots []slot[T]
}

// min returns the item that ranks first, and its key.
func (h *heap[T]) min() (item T, key int64, ok bool) {
	if len(h.slots) == 0 {
		return item, 0, false
	}
	return h.slots[0].item, h.slots[0].key, true
}

func (h *heap[T]) push(item T, at rank) {
	h.slots = append(h.slots, slot[T]{at, item})
	h.up(len(h.slots) - 1)
}

// rerank gives an item that is in the heap another rank.
func (h *heap[T]) rerank(item T, to rank) {
	h.replace(int(item.place()), slot[T]{to, item})
}

// replace puts another slot where one was and restores the order.
func (h *heap[T]) replace(at int, with slot[T]) {
	rises := with.before(h.slots[at].rank)
	h.slots[at] = with
	if rises {
		h.up(at)
	} else {
		h.down(at)
	}
}

// remove takes an item that is in the heap out of it.
func (h *heap[T]) remove(item T) {
	at, last := int(item.place()), len(h.slots)-1
	moved := h.slots[last]
	h.slots[last] = slot[T]{}
	h.slots = h.slots[:last]
	if at < last {
		h.replace(at, moved)
	}
}

func (h *heap[T]) up(at int) {
	rising := h.slots[at]
	for at > 0 {
		parent := (at - 1) / heapArity
		if !rising.before(h.slots[parent].rank) {
			break
		}
		h.set(at, h.slots[parent])
		at = parent
	}
	h.set(at, rising)
}

func (h *heap[T]) down(at int) {
	sinking := h.slots[at]
	for {
		first := at*heapArity + 1
		if first >= len(h.slots) {
			break
		}
		least := first
		for child := first + 1; child < min(first+heapArity, len(h.slots)); child++ {
			if h.slots[child].before(h.slots[least].rank) {
				least = child
			}
		}
		if !h.slots[least].before(sinking.rank) {
			break
		}
		h.set(at, h.slots[least])
		at = least
	}
	h.set(at, sinking)
}

func (h *heap[T]) set(at int, s slot[T]) {
	h.slots[at] = s
	s.item.setPlace(int32(at)) //nolint:gosec // a queue never holds 2^31 messages
}
