package sqs

// The inputs and outputs of the JSON protocol, as the SQS API reference names their members. Pointers tell an absent member from a zero;
// empty lists and maps are left out of replies, as AWS does.

type queueInput struct {
	QueueURL string `json:"QueueUrl"`
}

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

type listQueuesInput struct {
	Prefix     string `json:"QueueNamePrefix"`
	NextToken  string `json:"NextToken"`
	MaxResults *int   `json:"MaxResults"`
}

type listQueuesOutput struct {
	QueueURLs []string `json:"QueueUrls,omitempty"`
	NextToken string   `json:"NextToken,omitempty"`
}

type listSourcesInput struct {
	queueInput
	NextToken  string `json:"NextToken"`
	MaxResults *int   `json:"MaxResults"`
}

// listSourcesOutput spells queueUrls with a small q, as AWS does here.
type listSourcesOutput struct {
	QueueURLs []string `json:"queueUrls"`
	NextToken string   `json:"NextToken,omitempty"`
}

type getAttributesInput struct {
	queueInput
	AttributeNames []string `json:"AttributeNames"`
}

type getAttributesOutput struct {
	Attributes map[string]string `json:"Attributes,omitempty"`
}

type setAttributesInput struct {
	queueInput
	Attributes map[string]string `json:"Attributes"`
}

type tagQueueInput struct {
	queueInput
	Tags map[string]string `json:"Tags"`
}

type untagQueueInput struct {
	queueInput
	TagKeys []string `json:"TagKeys"`
}

type listTagsOutput struct {
	Tags map[string]string `json:"Tags,omitempty"`
}

// attributeValue is one message attribute.
type attributeValue struct {
	DataType         string   `json:"DataType"`
	StringValue      string   `json:"StringValue,omitempty"`
	BinaryValue      []byte   `json:"BinaryValue,omitempty"`
	StringListValues []string `json:"StringListValues,omitempty"`
	BinaryListValues [][]byte `json:"BinaryListValues,omitempty"`
}

// outgoing is what SendMessage and an entry of SendMessageBatch have in common.
type outgoing struct {
	MessageBody            string                    `json:"MessageBody"`
	DelaySeconds           *int64                    `json:"DelaySeconds"`
	Attributes             map[string]attributeValue `json:"MessageAttributes"`
	SystemAttributes       map[string]attributeValue `json:"MessageSystemAttributes"`
	MessageGroupID         *string                   `json:"MessageGroupId"`
	MessageDeduplicationID *string                   `json:"MessageDeduplicationId"`
}

type sendInput struct {
	queueInput
	outgoing
}

type sentMessage struct {
	MessageID           string `json:"MessageId"`
	BodyMD5             string `json:"MD5OfMessageBody"`
	AttributesMD5       string `json:"MD5OfMessageAttributes,omitempty"`
	SystemAttributesMD5 string `json:"MD5OfMessageSystemAttributes,omitempty"`
}

type sendBatchEntry struct {
	outgoing
	ID string `json:"Id"`
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

type sentEntry struct {
	sentMessage
	ID string `json:"Id"`
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

type receivedMessage struct {
	MessageID         string                    `json:"MessageId"`
	ReceiptHandle     string                    `json:"ReceiptHandle"`
	BodyMD5           string                    `json:"MD5OfBody"`
	Body              string                    `json:"Body"`
	Attributes        map[string]string         `json:"Attributes,omitempty"`
	AttributesMD5     string                    `json:"MD5OfMessageAttributes,omitempty"`
	MessageAttributes map[string]attributeValue `json:"MessageAttributes,omitempty"`
}

type receiveOutput struct {
	Messages []receivedMessage `json:"Messages,omitempty"`
	giveBack func()
}

func (o receiveOutput) undo() { o.giveBack() }

type handleInput struct {
	queueInput
	ReceiptHandle string `json:"ReceiptHandle"`
}

type handleEntry struct {
	ID            string `json:"Id"`
	ReceiptHandle string `json:"ReceiptHandle"`
}

type visibilityInput struct {
	queueInput
	ReceiptHandle     string `json:"ReceiptHandle"`
	VisibilityTimeout *int64 `json:"VisibilityTimeout"`
}

type visibilityEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string `json:"ReceiptHandle"`
	VisibilityTimeout *int64 `json:"VisibilityTimeout"`
}

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
