package sqs

// ranked is an item that knows which of two comes first, and remembers its place in the one ranking that it is in.
type ranked[T any] interface {
	before(other T) bool
	place() *int32
}

// ranking is a heap for container/heap in which an item can be moved and removed without a search. Its head is what comes first.
type ranking[T ranked[T]] []T

func (r ranking[T]) Len() int           { return len(r) }
func (r ranking[T]) Less(i, j int) bool { return r[i].before(r[j]) }

func (r ranking[T]) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	*r[i].place(), *r[j].place() = int32(i), int32(j) //nolint:gosec // a queue never holds 2^31 messages
}

// Push is for heap.Push.
func (r *ranking[T]) Push(item any) {
	added, _ := item.(T)
	*added.place() = int32(len(*r)) //nolint:gosec // as above
	*r = append(*r, added)
}

// Pop is for heap.Remove.
func (r *ranking[T]) Pop() any {
	last := len(*r) - 1
	item := (*r)[last]
	clear((*r)[last:])
	*r = (*r)[:last]
	return item
}
