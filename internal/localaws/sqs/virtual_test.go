package sqs_test

import "github.com/millrace-dev/millrace/internal/localaws/sqs"

// receiveAll takes a whole batch without waiting.
var receiveAll = sqs.ReceiveInput{MaxMessages: 10}
