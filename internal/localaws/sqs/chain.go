package sqs

// links are an item's neighbours in one chain.
type links[T any] struct {
	prev, next T
}

// linked is an item that carries the links of the chains it can be in, so that leaving one needs no search.
type linked[T any] interface {
	comparable
	links(chain chainName) *links[T]
}

// chainName tells apart the chains that one item can be in at the same time.
type chainName uint8

const (
	// groupChain holds the visible messages of one group.
	groupChain chainName = iota
	// arrivalChain holds all messages of one queue, oldest first.
	arrivalChain
	// turnChain holds the groups that have visible messages, the longest unserved first.
	turnChain
	// waiterChain holds the long polls of one queue, the longest waiting first.
	waiterChain
)

// chain is an intrusive doubly linked list. Set name before use; every operation is O(1).
type chain[T linked[T]] struct {
	name       chainName
	head, tail T
	length     int
}

func (c *chain[T]) pushBack(item T) {
	var none T
	*item.links(c.name) = links[T]{prev: c.tail}
	if c.tail == none {
		c.head = item
	} else {
		c.tail.links(c.name).next = item
	}
	c.tail = item
	c.length++
}

func (c *chain[T]) pushFront(item T) {
	var none T
	*item.links(c.name) = links[T]{next: c.head}
	if c.head == none {
		c.tail = item
	} else {
		c.head.links(c.name).prev = item
	}
	c.head = item
	c.length++
}

// remove takes out an item that is in this chain.
func (c *chain[T]) remove(item T) {
	var none T
	at := item.links(c.name)
	if at.prev == none {
		c.head = at.next
	} else {
		at.prev.links(c.name).next = at.next
	}
	if at.next == none {
		c.tail = at.prev
	} else {
		at.next.links(c.name).prev = at.prev
	}
	*at = links[T]{}
	c.length--
}

// popFront takes out the head, if there is one.
func (c *chain[T]) popFront() (item T, ok bool) {
	var none T
	if c.head == none {
		return none, false
	}
	item = c.head
	c.remove(item)
	return item, true
}
