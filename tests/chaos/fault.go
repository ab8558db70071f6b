package chaos

// Fault is one way in which the world fails.
type Fault string

// The faults. A clean one repeats nothing by itself: without others, every event must arrive exactly once.
const (
	// KillIngest, KillFlush and KillReplay end all processes of a function with SIGKILL.
	KillIngest Fault = "kill-ingest"
	KillFlush  Fault = "kill-flush"
	// KillReplay starts a replay and kills it at work.
	KillReplay Fault = "kill-replay"
	// FreezeFlush stops the flush processes until Lambda's timeout kills them.
	FreezeFlush Fault = "freeze-flush"

	// Redeliver makes messages visible that a flush is working on.
	Redeliver Fault = "sqs-redeliver"
	// Reorder holds visible messages back and redelivers late.
	Reorder Fault = "sqs-reorder"
	// LoseSend, LoseDelete and LoseReceive carry a call out and answer with an error.
	LoseSend    Fault = "sqs-lose-send"
	LoseDelete  Fault = "sqs-lose-delete"
	LoseReceive Fault = "sqs-lose-receive"
	// FailSend, FailDelete and FailReceive refuse a call.
	FailSend    Fault = "sqs-fail-send"
	FailDelete  Fault = "sqs-fail-delete"
	FailReceive Fault = "sqs-fail-receive"
	// FailEntry refuses single entries of batch calls.
	FailEntry Fault = "sqs-fail-entry"

	// SinkRefuse and the next answer 400, 500, 429 with Retry-After, or 413 to more than a few events, and take nothing.
	SinkRefuse   Fault = "sink-4xx"
	SinkFail     Fault = "sink-5xx"
	SinkThrottle Fault = "sink-429"
	SinkTooLarge Fault = "sink-413"
	// SinkHang never answers, SinkReset breaks the connection; neither takes anything.
	SinkHang  Fault = "sink-hang"
	SinkReset Fault = "sink-reset"
	// SinkSlow answers late, but in time.
	SinkSlow Fault = "sink-slow"
	// SinkWrongBody takes everything and answers 200 with a page for people.
	SinkWrongBody Fault = "sink-wrong-body"
	// SinkLoseReply takes everything and breaks the connection.
	SinkLoseReply Fault = "sink-lose-reply"
	// SinkPartial takes the first half and answers 500.
	SinkPartial Fault = "sink-partial"

	// StoreAway answers 500, StoreThrottle throttles, StoreSlow answers up to 2.5 s late, all to any call of the dedup table.
	StoreAway     Fault = "store-away"
	StoreThrottle Fault = "store-throttle"
	StoreSlow     Fault = "store-slow"
	// StoreLoseReply carries a conditional write out and answers with an error.
	StoreLoseReply Fault = "store-lose-reply"

	// ClockJump moves the clocks of some processes, by up to an hour. It needs functions that were compiled for it.
	ClockJump Fault = "clock-jump"

	// Replay and Drain are no faults, but start what a person or a schedule starts, amid the others.
	Replay Fault = "replay"
	Drain  Fault = "drain"
)

// theme is a set of faults that go together: those of one, all at once, find what single ones do not.
type theme []Fault

// themes are what a plan draws one of.
func themes() []theme {
	return []theme{clean(), badReturns(), badQueue(), badProcesses(), badStore(), badClocks(), everything()}
}

// clean faults repeat nothing, so a duplicate has no excuse.
func clean() theme {
	return theme{
		Reorder, LoseReceive, FailReceive, SinkRefuse, SinkFail, SinkThrottle, SinkTooLarge, SinkHang, SinkReset,
		SinkSlow, SinkWrongBody, StoreLoseReply, Replay, Drain,
	}
}

// badReturns are sinks that do not take events, and queues that do not take them back, while replays go on.
func badReturns() theme {
	return theme{FailSend, FailEntry, SinkFail, SinkRefuse, Replay, KillReplay}
}

// badQueue repeats and forgets.
func badQueue() theme {
	return theme{FailSend, FailEntry, LoseSend, FailDelete, LoseDelete, Redeliver, Reorder, SinkFail, SinkRefuse, Replay, Drain}
}

// badProcesses die while they have something in hand.
func badProcesses() theme {
	return theme{KillIngest, KillFlush, KillReplay, FreezeFlush, SinkSlow, SinkFail, SinkRefuse, SinkLoseReply, Replay, Drain}
}

// badStore forgets, while packs come more than once.
func badStore() theme {
	return theme{
		StoreAway, StoreThrottle, StoreSlow, StoreLoseReply, Redeliver, LoseDelete, FailDelete, LoseSend, KillFlush, SinkFail, Replay,
	}
}

// badClocks make leases and windows look over, or not, while packs come more than once.
func badClocks() theme {
	return theme{ClockJump, ClockJump, KillFlush, Redeliver, LoseDelete, LoseSend, SinkFail, Reorder, Replay}
}

// everything is all of them, but for clocks: few bounds are left then.
func everything() theme {
	return append(clean(), KillIngest, KillFlush, KillReplay, FreezeFlush, Redeliver, LoseSend, LoseDelete,
		FailSend, FailDelete, FailEntry, SinkLoseReply, SinkPartial, StoreAway, StoreThrottle, StoreSlow)
}
