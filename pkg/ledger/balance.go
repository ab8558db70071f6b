package ledger

// Balance returns, for each sink, how many of the events routed to it have not reached
// an end yet: what is in flight, if nothing was lost and nothing was counted twice. What came
// back with its message is not: it is routed again.
func Balance(entries []Entry) map[string]int {
	inFlight := make(map[string]int)
	for _, e := range entries {
		switch e.Counter {
		case Routed:
			inFlight[e.Sink] += e.Count
		case Delivered, Deduped, Rejected, DeadLettered, Dropped, Returned:
			inFlight[e.Sink] -= e.Count
		default: // the others say how an event travels, not where it ends
		}
	}
	return inFlight
}

// Unaccounted returns how many items ingest received without saying what became of
// them. Anything but zero is a bug or a killed invocation.
func Unaccounted(entries []Entry) int {
	missing := 0
	for _, e := range entries {
		switch e.Counter {
		case Received:
			missing += e.Count
		case Accepted, Refused, Filtered, Sampled, Limited:
			missing -= e.Count
		default:
		}
	}
	return missing
}
