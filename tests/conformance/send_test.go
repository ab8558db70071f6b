package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const mebibyte = 1 << 20

// sendTrials are what SendMessage takes and refuses.
func sendTrials() []trial {
	var trials []trial
	for _, row := range []struct {
		id, page string
		change   func(in *sqs.SendMessageInput)
		codes    []string // empty: it is taken
	}{
		{"1 byte", pageQuotas, body("x"), nil},
		{"1 MiB", pageQuotas, body(strings.Repeat("x", mebibyte)), nil},
		{"a byte over 1 MiB is refused", pageQuotas, body(strings.Repeat("x", mebibyte+1)), []string{badValue}},
		{"attributes count to the size", pageQuotas, func(in *sqs.SendMessageInput) {
			body(strings.Repeat("x", mebibyte-12))(in) // name 4, type 6, value 3
			attribute("name", text("abc"))(in)
		}, []string{badValue}},
		{"attributes fill the size", pageQuotas, func(in *sqs.SendMessageInput) {
			body(strings.Repeat("x", mebibyte-13))(in)
			attribute("name", text("abc"))(in)
		}, nil},
		{"empty body is refused", apiReference + "SendMessage", body(""), []string{missing, badValue}},
		{"tab, newline and emoji", apiReference + "SendMessage", body("\t\n\r\U0001F33E\uFFFD"), nil},
		{"control character is refused", apiReference + "SendMessage", body("a\u0001b"), []string{"InvalidMessageContents"}},
		{"U+FFFE is refused", apiReference + "SendMessage", body("a\uFFFEb"), []string{"InvalidMessageContents"}},
		{"delay of 15 minutes", apiReference + "SendMessage", delay(900), nil},
		{"longer delay is refused", apiReference + "SendMessage", delay(901), []string{badValue}},
		{"negative delay is refused", apiReference + "SendMessage", delay(-1), []string{badValue}},
		{"group id of 128 characters", apiReference + "SendMessage", group(strings.Repeat("g", 128)), nil},
		{"group id of 129 characters is refused", apiReference + "SendMessage", group(strings.Repeat("g", 129)), []string{badValue}},
		{"group id with punctuation", apiReference + "SendMessage", group("tenant.7!#~"), nil},
		{"group id with a space is refused", apiReference + "SendMessage", group("a b"), []string{badValue}},
		{"deduplication id on a standard queue is refused", apiReference + "SendMessage", func(in *sqs.SendMessageInput) {
			in.MessageDeduplicationId = aws.String("once")
		}, []string{badValue}},
		{"ten attributes", pageMetadata, many(10), nil},
		{"eleven attributes are refused", pageMetadata, many(11), []string{badValue}},
		{"attribute of a custom type", pageMetadata, attribute("a", types.MessageAttributeValue{DataType: aws.String("String.uuid"), StringValue: aws.String("v")}), nil},
		{"attribute of an unknown type is refused", pageMetadata, attribute("a", types.MessageAttributeValue{DataType: aws.String("Date"), StringValue: aws.String("v")}), []string{badValue}},
		{"attribute without a value is refused", pageMetadata, attribute("a", types.MessageAttributeValue{DataType: aws.String("String")}), []string{badValue}},
		{"Number that is none is refused", pageMetadata, attribute("a", number("many")), []string{badValue}},
		{"Number with 38 digits", pageMetadata, attribute("a", number(strings.Repeat("9", 38))), nil},
		{"negative and fractional Number", pageMetadata, attribute("a", number("-1.5e3")), nil},
		{"attribute name with a space is refused", pageMetadata, attribute("a b", text("v")), []string{badValue}},
		{"attribute name that starts with a dot is refused", pageMetadata, attribute(".a", text("v")), []string{badValue}},
		{"attribute name that ends with a dot is refused", pageMetadata, attribute("a.", text("v")), []string{badValue}},
		{"attribute name with two dots in a row is refused", pageMetadata, attribute("a..b", text("v")), []string{badValue}},
		{"attribute name that starts with AWS. is refused", pageMetadata, attribute("AWS.x", text("v")), []string{badValue}},
		{"attribute name that starts with amazon. is refused", pageMetadata, attribute("amazon.x", text("v")), []string{badValue}},
		{"attribute name of 256 characters", pageMetadata, attribute(strings.Repeat("n", 256), text("v")), nil},
		{"attribute name of 257 characters is refused", pageMetadata, attribute(strings.Repeat("n", 257), text("v")), []string{badValue}},
		{"unknown system attribute is refused", apiReference + "SendMessage", func(in *sqs.SendMessageInput) {
			in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{"Colour": {DataType: aws.String("String"), StringValue: aws.String("blue")}}
		}, []string{badValue}},
	} {
		trials = append(trials, trial{"send/" + row.id, row.page, func(s *session) error {
			in := &sqs.SendMessageInput{QueueUrl: aws.String(s.queue(nil)), MessageBody: aws.String("m")}
			row.change(in)
			_, err := s.client.SendMessage(s.ctx, in)
			if row.codes != nil {
				return refused(err, row.codes...)
			}
			return err
		}})
	}
	return append(trials, trial{"send/MaximumMessageSize of the queue", apiReference + "SetQueueAttributes", func(s *session) error {
		queue := s.queue(attributes{"MaximumMessageSize": "1024"})
		if err := s.send(queue, strings.Repeat("x", 1024)); err != nil {
			return err
		}
		return refused(s.send(queue, strings.Repeat("x", 1025)), badValue)
	}})
}

func body(text string) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.MessageBody = &text }
}

func delay(seconds int32) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.DelaySeconds = seconds }
}

func group(id string) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.MessageGroupId = &id }
}

func attribute(name string, value types.MessageAttributeValue) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) {
		in.MessageAttributes = map[string]types.MessageAttributeValue{name: value}
	}
}

func number(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &value}
}

func many(n int) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) {
		in.MessageAttributes = map[string]types.MessageAttributeValue{}
		for i := range n {
			in.MessageAttributes[fmt.Sprint("a", i)] = text("v")
		}
	}
}
