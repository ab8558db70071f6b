package sqs

import (
	"net/url"
	"strings"
)

// arnPrefix starts every SQS ARN of the commercial partition.
const arnPrefix = "arn:aws:sqs:"

// queueARN names a queue of this service.
func (o Options) queueARN(name string) string {
	return arnPrefix + o.Region + ":" + o.AccountID + ":" + name
}

// parseARN returns the queue name of an SQS ARN of any account and region.
func parseARN(arn string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(arn, arnPrefix)
	if !ok {
		return "", false
	}
	parts := strings.Split(rest, ":")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || !isQueueName(parts[2]) {
		return "", false
	}
	return parts[2], true
}

// queueURL is the address of a queue for a client that called host; without BaseURL and host it is AWS's own.
func (o Options) queueURL(host, name string) string {
	base := o.BaseURL
	switch {
	case base != "":
	case host != "":
		base = "http://" + host
	default:
		base = "https://sqs." + o.Region + ".amazonaws.com"
	}
	return strings.TrimSuffix(base, "/") + "/" + o.AccountID + "/" + name
}

// queueName reads a QueueUrl: ".../account/name" or, as AWS allows, a bare name.
func (o Options) queueName(address string) (string, *Error) {
	if address == "" {
		return "", errMissing("QueueUrl")
	}
	if isQueueName(address) {
		return address, nil
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return "", errNamed("InvalidAddress", "The address %s is not valid for this endpoint.", address)
	}
	parts := strings.Split(strings.Trim(parsed.Path, "/"), "/")
	if len(parts) != 2 {
		return "", errNamed("InvalidAddress", "The address %s is not valid for this endpoint.", address)
	}
	if parts[0] != o.AccountID {
		return "", errQueue()
	}
	return parts[1], nil
}

// isQueueName checks a name: 1 to 80 letters, digits, hyphens and underscores.
func isQueueName(name string) bool {
	return len(name) <= MaxQueueNameLength && isWord(name)
}

// isWord says whether text is not empty and consists of ASCII letters, digits, hyphens and underscores.
func isWord(text string) bool {
	for i := range len(text) {
		if !isWordByte(text[i]) {
			return false
		}
	}
	return text != ""
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// checkQueueName refuses what CreateQueue would refuse.
func checkQueueName(name string) *Error {
	switch {
	case name == "":
		return errMissing("QueueName")
	case strings.HasSuffix(name, ".fifo"):
		return errFIFO()
	case !isQueueName(name):
		return errParameter("Value %s for parameter QueueName is invalid. Reason: "+
			"Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.", name)
	}
	return nil
}
