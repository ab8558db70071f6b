package sqs

import (
	"cmp"
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
	parts := strings.Split(rest, ":")
	if !ok || len(parts) != 3 || parts[0] == "" || parts[1] == "" || !isQueueName(parts[2]) {
		return "", false
	}
	return parts[2], true
}

// queueURL is the address of a queue for a client that called host, empty for a caller in this process.
func (o Options) queueURL(host, name string) string {
	base := cmp.Or(o.BaseURL, "http://"+cmp.Or(host, "sqs."+o.Region+".amazonaws.com"))
	return strings.TrimSuffix(base, "/") + "/" + o.AccountID + "/" + name
}

// queueName reads a QueueUrl: "scheme://host/account/name", "/account/name" or, as AWS allows, a bare name.
func (o Options) queueName(address string) (string, error) {
	_, place, isURL := strings.Cut(address, "://")
	if !isURL {
		place = address
	}
	switch parts := strings.Split(place, "/"); {
	case address == "":
		return "", errMissing("QueueUrl")
	case len(parts) == 1 && !isURL:
		return address, nil
	case len(parts) != 3:
		return "", errNamed("InvalidAddress", "The address %s is not valid for this endpoint.", address)
	case parts[1] != o.AccountID:
		return "", errQueue()
	default:
		return parts[2], nil
	}
}

// isQueueName checks a name: 1 to 80 letters, digits, hyphens and underscores.
func isQueueName(name string) bool {
	return len(name) <= MaxQueueNameLength && isWord(name)
}

// isWord says whether text is not empty and consists of ASCII letters, digits, hyphens and underscores.
func isWord(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return text != ""
}
