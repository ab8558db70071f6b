package sqs

// heapArity is the children per node: four keeps a heap of a million entries ten levels deep.
const heapArity = 4

// placed is an item that remembers its place in a heap, so that it can be moved and removed without a search.
type placed interface {
	place() int32
	setPlace(place int32)
}

// slot is an item with its key beside it: comparing slots does not touch the items.
type slot[T placed] struct {
	key  int64
	item T
}

// heap is an indexed min-heap; every operation is O(log n). The zero value is empty.
type heap[T placed] struct {
	slots []slot[T]
}

// min returns the item with the smallest key.
func (h *heap[T]) min() (item T, key int64, ok bool) {
	if len(h.slots) == 0 {
		return item, 0, false
	}
	return h.slots[0].item, h.slots[0].key, true
}

func (h *heap[T]) push(item T, key int64) {
	h.slots = append(h.slots, slot[T]{key, item})
	h.up(len(h.slots) - 1)
}

// rekey gives an item that is in the heap another key.
func (h *heap[T]) rekey(item T, key int64) {
	at := int(item.place())
	before := h.slots[at].key
	h.slots[at].key = key
	if key < before {
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
	if at == last {
		return
	}
	before := h.slots[at].key
	h.slots[at] = moved
	if moved.key < before {
		h.up(at)
	} else {
		h.down(at)
	}
}

func (h *heap[T]) up(at int) {
	rising := h.slots[at]
	for at > 0 {
		parent := (at - 1) / heapArity
		if h.slots[parent].key <= rising.key {
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
			if h.slots[child].key < h.slots[least].key {
				least = child
			}
		}
		if h.slots[least].key >= sinking.key {
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
