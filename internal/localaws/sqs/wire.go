package sqs

type startMoveInput struct {
	SourceARN      string `json:"SourceArn"`
	DestinationARN string `json:"DestinationArn"`
	MaxPerSecond   *int   `json:"MaxNumberOfMessagesPerSecond"`
}

type moveHandle struct {
	TaskHandle string `json:"TaskHandle"`
}

type cancelMoveOutput struct {
	Moved int `json:"ApproximateNumberOfMessagesMoved"`
}

type listMovesInput struct {
	SourceARN  string `json:"SourceArn"`
	MaxResults *int   `json:"MaxResults"`
}

type listMovesOutput struct {
	Results []moveStatus `json:"Results,omitempty"`
}

// moveStatus is a move task, on the wire and in the journal.
type moveStatus struct {
	TaskHandle     string `json:"TaskHandle,omitempty"`
	Status         string `json:"Status"`
	SourceARN      string `json:"SourceArn"`
	DestinationARN string `json:"DestinationArn,omitempty"`
	MaxPerSecond   int    `json:"MaxNumberOfMessagesPerSecond,omitzero"`
	Moved          int    `json:"ApproximateNumberOfMessagesMoved"`
	ToMove         int    `json:"ApproximateNumberOfMessagesToMove"`
	FailureReason  string `json:"FailureReason,omitempty"`
	StartedMillis  int64  `json:"StartedTimestamp"`
}
