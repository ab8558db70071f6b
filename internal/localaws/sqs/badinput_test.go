package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

// post sends one raw call and returns status, headers and the decoded body.
func (b bundle) post(client aws.HTTPClient, path, target, body string, headers map[string]string) (int, http.Header, map[string]any) {
	b.t.Helper()
	request := must[*http.Request](b.t)(http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(body)))
	request.Header.Set("X-Amz-Target", target)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response := must[*http.Response](b.t)(client.Do(request))
	defer func() { _ = response.Body.Close() }()
	text := must[[]byte](b.t)(io.ReadAll(response.Body))
	var decoded map[string]any
	if err := json.Unmarshal(text, &decoded); err != nil {
		b.t.Fatalf("reply %q is not JSON: %v", text, err)
	}
	return response.StatusCode, response.Header, decoded
}

// eachRawTransport is eachTransport for raw calls.
func eachRawTransport(t *testing.T, options sqs.Options, test func(b bundle, client aws.HTTPClient)) {
	t.Helper()
	for name, connect := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := sqs.New(options)
			t.Cleanup(service.Close)
			url, client := connect(t, service)
			test(bundle{service: service, url: url, t: t}, client)
		})
	}
}

func attribute(name, dataType, value string) string {
	return fmt.Sprintf(`{"QueueUrl":"q","MessageBody":"m","MessageAttributes":{"%s":{"DataType":"%s","StringValue":"%s"}}}`, name, dataType, value)
}

func entries(n int, entry string) string {
	return `{"QueueUrl":"q","Entries":[` + strings.TrimSuffix(strings.Repeat(entry+",", n), ",") + `]}`
}

func elevenAttributes() string {
	var list []string
	for i := range 11 {
		list = append(list, fmt.Sprintf(`"a%d":{"DataType":"String","StringValue":"x"}`, i))
	}
	return `{"QueueUrl":"q","MessageBody":"m","MessageAttributes":{` + strings.Join(list, ",") + `}}`
}

// badInputs are calls that AWS refuses, with the __type, the code of the header and a part of the message.
var badInputs = []struct {
	name, op, body   string
	kind, code, says string
}{
	{"broken JSON", "SendMessage", `{"QueueUrl":`, "SerializationException", "SerializationException", "unexpected EOF"},
	{"duplicate key", "SendMessage", `{"QueueUrl":"q","QueueUrl":"q"}`, "SerializationException", "SerializationException", "duplicate"},
	{"invalid UTF-8", "SendMessage", "{\"QueueUrl\":\"q\",\"MessageBody\":\"\xff\"}", "SerializationException", "SerializationException", "UTF-8"},
	{"wrong type", "ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":"ten"}`, "SerializationException", "SerializationException", "MaxNumberOfMessages"},
	{"binary value that is no base64", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"%%"}}}`,
		"SerializationException", "SerializationException", "BinaryValue"},
	{"unknown operation", "AddPermission", `{}`, "UnknownOperationException", "UnknownOperationException", "AddPermission"},
	{"unknown queue", "SendMessage", `{"QueueUrl":"other","MessageBody":"m"}`, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
	{"wrong account in the URL", "SendMessage", `{"QueueUrl":"http://h/111111111111/q","MessageBody":"m"}`,
		"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
	{"not a queue URL", "SendMessage", `{"QueueUrl":"http://h/a/b/c","MessageBody":"m"}`, "InvalidAddress", "InvalidAddress", "http://h/a/b/c"},
	{"URL that does not parse", "SendMessage", `{"QueueUrl":"http://[","MessageBody":"m"}`, "InvalidAddress", "InvalidAddress", "http://["},
	{"no queue URL", "SendMessage", `{"MessageBody":"m"}`, "MissingRequiredParameterException", "MissingParameter", "QueueUrl"},
	{"no body", "SendMessage", `{"QueueUrl":"q"}`, "MissingRequiredParameterException", "MissingParameter", "MessageBody"},
	{"illegal character", "SendMessage", `{"QueueUrl":"q","MessageBody":"a\u0001b"}`, "InvalidMessageContents", "InvalidMessageContents", "#x9"},
	{"noncharacter U+FFFE", "SendMessage", `{"QueueUrl":"q","MessageBody":"\ufffe"}`, "InvalidMessageContents", "InvalidMessageContents", "#x9"},
	{"one byte too long", "SendMessage", `{"QueueUrl":"q","MessageBody":"` + strings.Repeat("x", 1<<20+1) + `"}`,
		"InvalidParameterValueException", "InvalidParameterValue", "1048576"},
	{"attributes count to the size", "SendMessage", `{"QueueUrl":"q","MessageBody":"` + strings.Repeat("x", 1<<20-8) +
		`","MessageAttributes":{"ab":{"DataType":"String","StringValue":"c"}}}`, "InvalidParameterValueException", "InvalidParameterValue", "1048576"},
	{"delay too long", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","DelaySeconds":901}`, "InvalidParameterValueException", "InvalidParameterValue", "901"},
	{"negative delay", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","DelaySeconds":-1}`, "InvalidParameterValueException", "InvalidParameterValue", "-1"},
	{"delay that would overflow", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","DelaySeconds":9223372036854775807}`,
		"SerializationException", "SerializationException", "DelaySeconds"},
	{"delay of the largest integer", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","DelaySeconds":2147483647}`,
		"InvalidParameterValueException", "InvalidParameterValue", "DelaySeconds"},
	{"group id with a space", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageGroupId":"a b"}`,
		"InvalidParameterValueException", "InvalidParameterValue", "MessageGroupId"},
	{"group id of 129 characters", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageGroupId":"` + strings.Repeat("g", 129) + `"}`,
		"InvalidParameterValueException", "InvalidParameterValue", "128"},
	{"empty group id", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageGroupId":""}`, "InvalidParameterValueException", "InvalidParameterValue", "MessageGroupId"},
	{"deduplication id", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageDeduplicationId":"d"}`,
		"InvalidParameterValueException", "InvalidParameterValue", "queue type"},
	{"system attribute of another name", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageSystemAttributes":{"X":{"DataType":"String","StringValue":"1"}}}`,
		"InvalidParameterValueException", "InvalidParameterValue", "'X'"},
	{"list values", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageAttributes":{"a":{"DataType":"String","StringListValues":["x"]}}}`,
		"InvalidParameterValueException", "InvalidParameterValue", "non-empty message attribute value"},
	{"eleven attributes", "SendMessage", elevenAttributes(), "InvalidParameterValueException", "InvalidParameterValue", "[11]"},
	{"attribute without a name", "SendMessage", attribute("", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "name"},
	{"attribute name too long", "SendMessage", attribute(strings.Repeat("n", 257), "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "256"},
	{"attribute name with a space", "SendMessage", attribute("a b", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "a b"},
	{"attribute name with a letter outside ASCII", "SendMessage", attribute("š", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "š"},
	{"attribute name that starts with a dot", "SendMessage", attribute(".a", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", ".a"},
	{"attribute name that ends with a dot", "SendMessage", attribute("a.", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "a."},
	{"attribute name with two dots", "SendMessage", attribute("a..b", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "a..b"},
	{"reserved attribute name", "SendMessage", attribute("aWs.a", "String", "v"), "InvalidParameterValueException", "InvalidParameterValue", "reserved"},
	{"no data type", "SendMessage", attribute("a", "", "v"), "InvalidParameterValueException", "InvalidParameterValue", "invalid message attribute type"},
	{"unknown data type", "SendMessage", attribute("a", "Text", "v"), "InvalidParameterValueException", "InvalidParameterValue", "Text"},
	{"empty custom suffix", "SendMessage", attribute("a", "String.", "v"), "InvalidParameterValueException", "InvalidParameterValue", "String."},
	{"data type too long", "SendMessage", attribute("a", "String."+strings.Repeat("s", 250), "v"), "InvalidParameterValueException", "InvalidParameterValue", "256"},
	{"empty value", "SendMessage", attribute("a", "String", ""), "InvalidParameterValueException", "InvalidParameterValue", "non-empty message attribute value"},
	{"string value for Binary", "SendMessage", attribute("a", "Binary", "v"), "InvalidParameterValueException", "InvalidParameterValue", "in field 'Binary'"},
	{"binary value for String", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","MessageAttributes":{"a":{"DataType":"String","BinaryValue":"AQ=="}}}`,
		"InvalidParameterValueException", "InvalidParameterValue", "in field 'String'"},
	{"illegal character in a value", "SendMessage", attribute("a", "String", "\uFFFE"), "InvalidParameterValueException", "InvalidParameterValue", "invalid characters"},
	{"number that is a word", "SendMessage", attribute("a", "Number", "ten"), "InvalidParameterValueException", "InvalidParameterValue", "ten"},
	{"number of a custom type", "SendMessage", attribute("a", "Number.int", "0x10"), "InvalidParameterValueException", "InvalidParameterValue", "0x10"},
	{"number out of range", "SendMessage", attribute("a", "Number", "1e127"), "InvalidParameterValueException", "InvalidParameterValue", "1e127"},
	{"number of 39 digits", "SendMessage", attribute("a", "Number", strings.Repeat("1", 39)), "InvalidParameterValueException", "InvalidParameterValue", "number"},
	{"empty batch", "SendMessageBatch", entries(0, ""), "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "at least one"},
	{"eleven entries", "DeleteMessageBatch", entries(11, `{"Id":"a","ReceiptHandle":"x"}`),
		"TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "11"},
	{"duplicate entry ids", "ChangeMessageVisibilityBatch", entries(2, `{"Id":"twin","ReceiptHandle":"x","VisibilityTimeout":1}`),
		"BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "twin"},
	{"entry id with a colon", "SendMessageBatch", entries(1, `{"Id":"a:b","MessageBody":"m"}`), "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", "80"},
	{"entry id of 81 characters", "SendMessageBatch", entries(1, `{"Id":"`+strings.Repeat("i", 81)+`","MessageBody":"m"}`),
		"InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", "80"},
	{"empty entry id", "DeleteMessageBatch", entries(1, `{"ReceiptHandle":"x"}`), "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", "80"},
	{"batch of more than 1 MiB", "SendMessageBatch", `{"QueueUrl":"q","Entries":[{"Id":"a","MessageBody":"` + strings.Repeat("x", 1<<20) + `"},{"Id":"b","MessageBody":"y"}]}`,
		"BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "You have sent 1048577 bytes"},
	{"batch to an unknown queue", "SendMessageBatch", `{"QueueUrl":"other","Entries":[{"Id":"a","MessageBody":"m"}]}`,
		"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
	{"no messages", "ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":0}`, "InvalidParameterValueException", "InvalidParameterValue", "Value 0"},
	{"eleven messages", "ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":11}`, "InvalidParameterValueException", "InvalidParameterValue", "between 1 and 10"},
	{"negative wait", "ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":-1}`, "InvalidParameterValueException", "InvalidParameterValue", "WaitTimeSeconds"},
	{"wait too long", "ReceiveMessage", `{"QueueUrl":"q","WaitTimeSeconds":21}`, "InvalidParameterValueException", "InvalidParameterValue", "Value 21"},
	{"visibility too long", "ReceiveMessage", `{"QueueUrl":"q","VisibilityTimeout":43201}`, "InvalidParameterValueException", "InvalidParameterValue", "43201"},
	{"unknown system attribute", "ReceiveMessage", `{"QueueUrl":"q","MessageSystemAttributeNames":["Sender"]}`, "InvalidAttributeName", "InvalidAttributeName", "Sender"},
	{"no receipt handle", "DeleteMessage", `{"QueueUrl":"q"}`, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", `""`},
	{"garbage receipt handle", "DeleteMessage", `{"QueueUrl":"q","ReceiptHandle":"` + strings.Repeat("g", 500) + `"}`, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", strings.Repeat("g", 64) + `"`},
	{"receipt handle that is no base64", "DeleteMessage", `{"QueueUrl":"q","ReceiptHandle":"` + strings.Repeat("%", 32) + `"}`,
		"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "%%"},
	{"receipt handle with a wrong sum", "ChangeMessageVisibility", `{"QueueUrl":"q","VisibilityTimeout":1,"ReceiptHandle":"` + strings.Repeat("A", 31) + `B"}`,
		"ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "AAA"},
	{"no visibility timeout", "ChangeMessageVisibility", `{"QueueUrl":"q","ReceiptHandle":"x"}`, "MissingRequiredParameterException", "MissingParameter", "VisibilityTimeout"},
	{"change without a handle", "ChangeMessageVisibility", `{"QueueUrl":"q","VisibilityTimeout":1}`, "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", `""`},
	{"no queue name", "CreateQueue", `{}`, "InvalidParameterValueException", "InvalidParameterValue", "QueueName"},
	{"queue name with a dot", "CreateQueue", `{"QueueName":"a.b"}`, "InvalidParameterValueException", "InvalidParameterValue", "a.b"},
	{"queue name of 81 characters", "CreateQueue", `{"QueueName":"` + strings.Repeat("q", 81) + `"}`, "InvalidParameterValueException", "InvalidParameterValue", "80"},
	{"FIFO queue", "CreateQueue", `{"QueueName":"a.fifo"}`, "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "FIFO"},
	{"FIFO attribute", "CreateQueue", `{"QueueName":"a","Attributes":{"FifoQueue":"true"}}`, "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "FIFO"},
	{"too many tags", "TagQueue", manyTags(51), "InvalidParameterValueException", "InvalidParameterValue", "50"},
	{"tag without a key", "CreateQueue", `{"QueueName":"a","tags":{"":"v"}}`, "InvalidParameterValueException", "InvalidParameterValue", "Tag"},
	{"unknown attribute to get", "GetQueueAttributes", `{"QueueUrl":"q","AttributeNames":["Depth"]}`, "InvalidAttributeName", "InvalidAttributeName", "Depth"},
	{"read-only attribute to set", "SetQueueAttributes", set("QueueArn", "x"), "InvalidAttributeName", "InvalidAttributeName", "QueueArn"},
	{"visibility that is no number", "SetQueueAttributes", set("VisibilityTimeout", "soon"), "InvalidAttributeValue", "InvalidAttributeValue", "soon"},
	{"retention too short", "SetQueueAttributes", set("MessageRetentionPeriod", "59"), "InvalidAttributeValue", "InvalidAttributeValue", "59"},
	{"message size too small", "SetQueueAttributes", set("MaximumMessageSize", "1023"), "InvalidAttributeValue", "InvalidAttributeValue", "1023"},
	{"policy that is no JSON", "SetQueueAttributes", set("Policy", "allow"), "InvalidAttributeValue", "InvalidAttributeValue", "allow"},
	{"redrive policy that is no JSON", "SetQueueAttributes", set("RedrivePolicy", "x"), "InvalidParameterValueException", "InvalidParameterValue", "JSON"},
	{"redrive policy without a target", "SetQueueAttributes", set("RedrivePolicy", `{"maxReceiveCount":1}`), "InvalidParameterValueException", "InvalidParameterValue", "deadLetterTargetArn"},
	{"redrive policy without a count", "SetQueueAttributes", set("RedrivePolicy", `{"deadLetterTargetArn":"x"}`), "InvalidParameterValueException", "InvalidParameterValue", "maxReceiveCount"},
	{"redrive target that is no ARN", "SetQueueAttributes", set("RedrivePolicy", `{"deadLetterTargetArn":"dummy","maxReceiveCount":42}`),
		"InvalidParameterValueException", "InvalidParameterValue", "deadLetterTargetArn, the ARN of a queue"},
	{"receive count 0", "SetQueueAttributes", redrive("q2", "0"), "InvalidParameterValueException", "InvalidParameterValue", "from 1 to 1000"},
	{"receive count 1001", "SetQueueAttributes", redrive("q2", `"1001"`), "InvalidParameterValueException", "InvalidParameterValue", "from 1 to 1000"},
	{"redrive to a queue that is not there", "SetQueueAttributes", redrive("nowhere", "1"), "InvalidParameterValueException", "InvalidParameterValue", "does not exist"},
	{"redrive to itself", "SetQueueAttributes", redrive("q", "1"), "InvalidParameterValueException", "InvalidParameterValue", "its own"},
	{"redrive that the target refuses", "SetQueueAttributes", redrive("closed", "1"), "InvalidParameterValueException", "InvalidParameterValue", "does not allow"},
	{"new queue with a redrive the target refuses", "CreateQueue", strings.Replace(redrive("choosy", "1"), `"QueueUrl":"q"`, `"QueueName":"new"`, 1),
		"InvalidParameterValueException", "InvalidParameterValue", "does not allow"},
	{"redrive allow policy that is no JSON", "SetQueueAttributes", set("RedriveAllowPolicy", "x"), "InvalidParameterValueException", "InvalidParameterValue", "JSON"},
	{"unknown redrive permission", "SetQueueAttributes", set("RedriveAllowPolicy", `{"redrivePermission":"some"}`), "InvalidParameterValueException", "InvalidParameterValue", "allowAll"},
	{"byQueue without queues", "SetQueueAttributes", set("RedriveAllowPolicy", `{"redrivePermission":"byQueue"}`), "InvalidParameterValueException", "InvalidParameterValue", "sourceQueueArns"},
	{"page of no queues", "ListQueues", `{"MaxResults":0}`, "InvalidParameterValueException", "InvalidParameterValue", "MaxResults"},
	{"garbage page token", "ListQueues", `{"NextToken":"%"}`, "InvalidParameterValueException", "InvalidParameterValue", "token"},
	{"sources of an unknown queue", "ListDeadLetterSourceQueues", `{"QueueUrl":"other"}`, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
	{"delete of an unknown queue", "DeleteQueue", `{"QueueUrl":"other"}`, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
	{"queue of another account", "GetQueueUrl", `{"QueueName":"q","QueueOwnerAWSAccountId":"111111111111"}`,
		"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
	{"move without a source", "StartMessageMoveTask", `{}`, "MissingRequiredParameterException", "MissingParameter", "SourceArn"},
	{"move from an unknown queue", "StartMessageMoveTask", `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:other"}`, "ResourceNotFoundException", "ResourceNotFoundException", "SourceArn"},
	{"move from a queue that is no dead-letter queue", "StartMessageMoveTask", `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:q"}`,
		"InvalidParameterValueException", "InvalidParameterValue", "Dead Letter Queue"},
	{"move too fast", "StartMessageMoveTask", `{"SourceArn":"x","MaxNumberOfMessagesPerSecond":501}`, "InvalidParameterValueException", "InvalidParameterValue", "501"},
	{"cancel without a handle", "CancelMessageMoveTask", `{}`, "MissingRequiredParameterException", "MissingParameter", "TaskHandle"},
	{"cancel with a garbage handle", "CancelMessageMoveTask", `{"TaskHandle":"garbage"}`, "InvalidParameterValueException", "InvalidParameterValue", "TaskHandle"},
	{"list moves without a source", "ListMessageMoveTasks", `{}`, "MissingRequiredParameterException", "MissingParameter", "SourceArn"},
	{"list moves of an unknown queue", "ListMessageMoveTasks", `{"SourceArn":"x"}`, "ResourceNotFoundException", "ResourceNotFoundException", "SourceArn"},
	{"list too many moves", "ListMessageMoveTasks", `{"SourceArn":"x","MaxResults":11}`, "InvalidParameterValueException", "InvalidParameterValue", "MaxResults"},
}

func set(name, value string) string {
	return fmt.Sprintf(`{"QueueUrl":"q","Attributes":{%q:%q}}`, name, value)
}

func redrive(target, count string) string {
	return set("RedrivePolicy", fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:%s","maxReceiveCount":%s}`, target, count))
}

func manyTags(n int) string {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprintf(`"%d":"v"`, i))
	}
	return `{"QueueUrl":"q","Tags":{` + strings.Join(tags, ",") + `}}`
}

func TestService_BadInput_RefusedInAWSWords(t *testing.T) {
	t.Parallel()
	eachRawTransport(t, sqs.Options{}, func(b bundle, client aws.HTTPClient) {
		for name, attributes := range map[string]map[string]string{
			"q": nil, "q2": nil, "closed": {"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`},
			"choosy": {"RedriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:q"]}`},
		} {
			must[string](b.t)(b.service.CreateQueue(b.t.Context(), name, attributes))
		}
		for _, test := range badInputs {
			status, header, body := b.post(client, "/", "AmazonSQS."+test.op, test.body, nil)
			kind, message := fmt.Sprint(body["__type"]), fmt.Sprint(body["message"])
			if status != http.StatusBadRequest || kind != "com.amazonaws.sqs#"+test.kind || !strings.Contains(message, test.says) {
				b.t.Errorf("%s: got %d %s %q, want 400 %s with %q", test.name, status, kind, message, test.kind, test.says)
			}
			if got := header.Get("X-Amzn-Query-Error"); got != test.code+";Sender" {
				b.t.Errorf("%s: x-amzn-query-error = %q, want %q", test.name, got, test.code+";Sender")
			}
		}
		if depth, err := b.service.Depth("q"); err != nil || depth != (sqs.Depth{}) {
			b.t.Errorf("after all refusals the depth is %+v, %v; want empty", depth, err)
		}
		if got := b.attributes("q", client); got["RedrivePolicy"] != "" || got["VisibilityTimeout"] != "30" {
			b.t.Errorf("after all refusals the attributes are %v, want the defaults", got)
		}
	})
}

// attributes returns all attributes of a queue.
func (b bundle) attributes(queue string, client aws.HTTPClient) map[string]string {
	b.t.Helper()
	_, _, body := b.post(client, "/", "AmazonSQS.GetQueueAttributes", `{"QueueUrl":"`+queue+`","AttributeNames":["All"]}`, nil)
	all := map[string]string{}
	for name, value := range body["Attributes"].(map[string]any) {
		all[name] = fmt.Sprint(value)
	}
	return all
}

func TestService_HTTP_GoodEdges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path, op, body string
		want                 []string
	}{
		{"exactly 1 MiB", "/", "SendMessage", `{"QueueUrl":"q","MessageBody":"` + strings.Repeat("x", 1<<20) + `"}`, []string{"MessageId", "MD5OfMessageBody"}},
		{"every byte escaped", "/", "SendMessage", `{"QueueUrl":"q","MessageBody":"` + strings.Repeat(`\u0078`, 1<<20) + `"}`, []string{"MessageId", "MD5OfMessageBody"}},
		{"full URL of another host", "/", "SendMessage", `{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/000000000000/q","MessageBody":"m"}`, []string{"MessageId", "MD5OfMessageBody"}},
		{"unknown members are ignored", "/", "SendMessage", `{"QueueUrl":"q","MessageBody":"m","New":{"a":[1]}}`, []string{"MessageId", "MD5OfMessageBody"}},
		{"largest number", "/", "SendMessage", attribute("n", "Number", "9.9e125"), []string{"MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes"}},
		{"zero", "/", "SendMessage", attribute("n", "Number.float", "-0.00"), []string{"MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes"}},
		{"empty receive leaves the list out", "/", "ReceiveMessage", `{"QueueUrl":"empty"}`, nil},
		{"no queues of that prefix", "/", "ListQueues", `{"QueueNamePrefix":"none"}`, nil},
		{"no sources", "/", "ListDeadLetterSourceQueues", `{"QueueUrl":"q"}`, []string{"queueUrls"}},
		{"no tags", "/", "ListQueueTags", `{"QueueUrl":"q"}`, nil},
		{"no attributes asked for", "/", "GetQueueAttributes", `{"QueueUrl":"q"}`, nil},
		{"no move tasks", "/", "ListMessageMoveTasks", `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:q"}`, nil},
	}
	eachRawTransport(t, sqs.Options{}, func(b bundle, client aws.HTTPClient) {
		must[string](b.t)(b.service.CreateQueue(b.t.Context(), "q", nil))
		must[string](b.t)(b.service.CreateQueue(b.t.Context(), "empty", nil))
		for _, test := range tests {
			status, header, body := b.post(client, test.path, "AmazonSQS."+test.op, test.body, nil)
			if status != http.StatusOK || len(body) != len(test.want) {
				b.t.Errorf("%s: got %d %v, want 200 with members %v", test.name, status, body, test.want)
			}
			for _, member := range test.want {
				if _, ok := body[member]; !ok {
					b.t.Errorf("%s: no member %s in %v", test.name, member, body)
				}
			}
			if got := header.Get("Content-Type"); got != "application/x-amz-json-1.0" || header.Get("X-Amzn-RequestId") == "" {
				b.t.Errorf("%s: headers = %v", test.name, header)
			}
		}
	})
}

func TestService_HTTP_TraceHeaderReachesTheReceiver(t *testing.T) {
	t.Parallel()
	eachRawTransport(t, sqs.Options{}, func(b bundle, client aws.HTTPClient) {
		must[string](b.t)(b.service.CreateQueue(b.t.Context(), "q", nil))
		b.post(client, "/", "AmazonSQS.SendMessage", `{"QueueUrl":"q","MessageBody":"m"}`, map[string]string{"X-Amzn-Trace-Id": "Root=1-5"})
		got := must[[]sqs.Message](b.t)(b.service.Receive(b.t.Context(), "q", receiveAll))
		if trace := got[0].Attributes["AWSTraceHeader"]; trace != "Root=1-5" {
			b.t.Errorf("AWSTraceHeader = %q, want Root=1-5", trace)
		}
	})
}

func TestService_HTTP_RefusesOtherRequests(t *testing.T) {
	t.Parallel()
	eachRawTransport(t, sqs.Options{}, func(b bundle, client aws.HTTPClient) {
		request := must[*http.Request](b.t)(http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url, strings.NewReader("Action=ListQueues")))
		response := must[*http.Response](b.t)(client.Do(request))
		text := must[[]byte](b.t)(io.ReadAll(response.Body))
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "speaks only the AWS JSON protocol") {
			b.t.Errorf("query protocol: %d %s, want 400 that says so", response.StatusCode, text)
		}
		status, _, body := b.post(client, "/", "AmazonSQS.ListQueues", "{}", map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=a, Signature=b"})
		if status != http.StatusBadRequest || !strings.Contains(fmt.Sprint(body["message"]), "SignedHeaders=") {
			b.t.Errorf("malformed signature: %d %v, want 400 that names SignedHeaders", status, body)
		}
		status, _, body = b.post(client, "/", "DynamoDB_20120810.ListTables", "{}", nil)
		if status != http.StatusBadRequest || body["__type"] != "com.amazonaws.sqs#UnknownOperationException" {
			b.t.Errorf("other service: %d %v, want 400 UnknownOperationException", status, body)
		}
		status, _, _ = b.post(client, "/", "AmazonSQS.ListQueues", strings.Repeat(" ", 8<<20+1), nil)
		if status != http.StatusRequestEntityTooLarge {
			b.t.Errorf("body over the limit: %d, want 413", status)
		}
	})
}

func TestService_Faults_AreTheAnswer(t *testing.T) {
	t.Parallel()
	answers := map[string]error{
		"SendMessage": sqs.Throttled(), "ListQueues": sqs.Unavailable(), "DeleteQueue": errors.New("disk on fire"),
	}
	options := sqs.Options{Faults: &sqs.Faults{Intercept: func(op string, _ []byte) error { return answers[op] }}}
	eachRawTransport(t, options, func(b bundle, client aws.HTTPClient) {
		must[string](b.t)(b.service.CreateQueue(b.t.Context(), "q", nil))
		for op, want := range map[string]string{
			"SendMessage": "400 RequestThrottled;Sender", "ListQueues": "503 ServiceUnavailable;Receiver",
			"DeleteQueue": "500 InternalFailure;Receiver", "ReceiveMessage": "200 ",
		} {
			status, header, _ := b.post(client, "/", "AmazonSQS."+op, `{"QueueUrl":"q","MessageBody":"m"}`, nil)
			if got := fmt.Sprintf("%d %s", status, header.Get("X-Amzn-Query-Error")); got != want {
				b.t.Errorf("%s: got %q, want %q", op, got, want)
			}
		}
		var refusal *sqs.Error
		if _, err := b.service.Send(b.t.Context(), "q", sqs.SendInput{Body: "m"}); !errors.As(err, &refusal) || refusal.Code != "RequestThrottled" {
			b.t.Errorf("direct send: %v, want RequestThrottled", err)
		}
	})
}

func TestService_Direct_Refusals(t *testing.T) {
	t.Parallel()
	s := sqs.New(sqs.Options{})
	defer s.Close()
	ctx := t.Context()
	must[string](t)(s.CreateQueue(ctx, "q", map[string]string{"MaximumMessageSize": "1024"}))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	calls := map[string]func() error{
		"create with a bad name":    func() error { _, err := s.CreateQueue(ctx, "a b", nil); return err },
		"create after cancel":       func() error { _, err := s.CreateQueue(cancelled, "a", nil); return err },
		"send of an empty body":     func() error { _, err := s.Send(ctx, "q", sqs.SendInput{}); return err },
		"send over the queue's own": func() error { _, err := s.Send(ctx, "q", sqs.SendInput{Body: benchBody + "x"}); return err },
		"send to nowhere":           func() error { _, err := s.Send(ctx, "other", sqs.SendInput{Body: "m"}); return err },
		"receive too many":          func() error { _, err := s.Receive(ctx, "q", sqs.ReceiveInput{MaxMessages: 10_001}); return err },
		"receive after cancel":      func() error { _, err := s.Receive(cancelled, "q", sqs.ReceiveInput{}); return err },
		"receive from nowhere":      func() error { _, err := s.Receive(ctx, "other", sqs.ReceiveInput{}); return err },
		"receive with long wait":    func() error { _, err := s.Receive(ctx, "q", sqs.ReceiveInput{Wait: sqs.MaxWait + 1e9}); return err },
		"receive hidden too long": func() error {
			_, err := s.Receive(ctx, "q", sqs.ReceiveInput{Visibility: sqs.MaxVisibility + 1e9})
			return err
		},
		"delete with garbage": func() error { return s.Delete(ctx, "q", []string{"garbage"}) },
		"delete after cancel": func() error { return s.Delete(cancelled, "q", nil) },
		"change with garbage": func() error { return s.ChangeVisibility(ctx, "q", "garbage", 0) },
		"change after cancel": func() error { return s.ChangeVisibility(cancelled, "q", "garbage", 0) },
		"depth of nowhere":    func() error { _, err := s.Depth("other"); return err },
	}
	for name, call := range calls {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s.Close()
	if got, err := s.Receive(ctx, "q", sqs.ReceiveInput{Wait: sqs.MaxWait}); err != nil || len(got) != 0 {
		t.Errorf("long poll of a closed service: %v, %v; want nothing at once", got, err)
	}
}
