package sqs

// The inputs and outputs of the JSON protocol, as the SQS API reference names their members. Pointers tell an absent member from a zero;
// empty lists and maps are left out of replies, as AWS does.

type queueInput struct {
	QueueURL string `json:"QueueUrl"`
}

// address is what a call says of its queue.
func (q queueInput) address() string { return q.QueueURL }

type emptyOutput struct{}

type createQueueInput struct {
	QueueName  string            `json:"QueueName"`
	Attributes map[string]string `json:"Attributes"`
	Tags       map[string]string `json:"tags"`
}

type queueURLOutput struct {
	QueueURL string `json:"QueueUrl"`
}

type getQueueURLInput struct {
	QueueName string `json:"QueueName"`
	OwnerID   string `json:"QueueOwnerAWSAccountId"`
}

// listInput is that of ListQueues and, with a queue, of ListDeadLetterSourceQueues.
type listInput struct {
	queueInput
	Prefix     string `json:"QueueNamePrefix"`
	NextToken  string `json:"NextToken"`
	MaxResults *int   `json:"MaxResults"`
}

type listQueuesOutput struct {
	QueueURLs []string `json:"QueueUrls,omitempty"`
	NextToken string   `json:"NextToken,omitempty"`
}

// listSourcesOutput spells queueUrls with a small q, as AWS does here.
type listSourcesOutput struct {
	QueueURLs []string `json:"queueUrls"`
	NextToken string   `json:"NextToken,omitempty"`
}

type attributeNamesInput struct {
	queueInput
	AttributeNames []string `json:"AttributeNames"`
}

type attributesInput struct {
	queueInput
	Attributes map[string]string `json:"Attributes"`
}

type attributesOutput struct {
	Attributes map[string]string `json:"Attributes,omitempty"`
}

type tagsInput struct {
	queueInput
	Tags map[string]string `json:"Tags"`
}

type tagKeysInput struct {
	queueInput
	TagKeys []string `json:"TagKeys"`
}

type tagsOutput struct {
	Tags map[string]string `json:"Tags,omitempty"`
}

// wireAttribute is a message attribute with the members that nothing may be sent in.
type wireAttribute struct {
	Attribute
	StringListValues []string `json:"StringListValues"`
	BinaryListValues [][]byte `json:"BinaryListValues"`
}

// sendEntry is an entry of SendMessageBatch and, without an id, the input of SendMessage.
type sendEntry struct {
	ID                     string                   `json:"Id"`
	MessageBody            string                   `json:"MessageBody"`
	DelaySeconds           *int64                   `json:"DelaySeconds"`
	Attributes             map[string]wireAttribute `json:"MessageAttributes"`
	SystemAttributes       map[string]Attribute     `json:"MessageSystemAttributes"`
	MessageGroupID         *string                  `json:"MessageGroupId"`
	MessageDeduplicationID *string                  `json:"MessageDeduplicationId"`
}

func (e sendEntry) id() string { return e.ID }

type sendInput struct {
	queueInput
	sendEntry
}

// sentEntry says what was sent, for an entry or a call.
type sentEntry struct {
	ID                  string `json:"Id,omitempty"`
	MessageID           string `json:"MessageId"`
	BodyMD5             string `json:"MD5OfMessageBody"`
	AttributesMD5       string `json:"MD5OfMessageAttributes,omitempty"`
	SystemAttributesMD5 string `json:"MD5OfMessageSystemAttributes,omitempty"`
}

// handleEntry is an entry of DeleteMessageBatch and ChangeMessageVisibilityBatch and, without an id, the input of the calls for one message.
type handleEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string `json:"ReceiptHandle"`
	VisibilityTimeout *int64 `json:"VisibilityTimeout"`
}

func (e handleEntry) id() string { return e.ID }

type handleInput struct {
	queueInput
	handleEntry
}

// batchInput is every batch call.
type batchInput[Entry any] struct {
	queueInput
	Entries []Entry `json:"Entries"`
}

// batchOutput is every batch reply; AWS leaves out an empty Failed.
type batchOutput[Done any] struct {
	Successful []Done        `json:"Successful,omitempty"`
	Failed     []failedEntry `json:"Failed,omitempty"`
}

type failedEntry struct {
	ID          string `json:"Id"`
	SenderFault bool   `json:"SenderFault"`
	Code        string `json:"Code"`
	Message     string `json:"Message"`
}

type doneEntry struct {
	ID string `json:"Id"`
}

type receiveInput struct {
	queueInput
	AttributeNames       []string `json:"AttributeNames"`
	SystemAttributeNames []string `json:"MessageSystemAttributeNames"`
	MessageAttributes    []string `json:"MessageAttributeNames"`
	MaxMessages          *int     `json:"MaxNumberOfMessages"`
	VisibilityTimeout    *int64   `json:"VisibilityTimeout"`
	WaitTimeSeconds      *int64   `json:"WaitTimeSeconds"`
}

type receiveOutput struct {
	Messages []Message `json:"Messages,omitempty"`
	giveBack func()
}

// Undo puts back what the client did not get.
func (o receiveOutput) Undo() { o.giveBack() }

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
