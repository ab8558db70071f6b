package sqs

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/millrace-dev/millrace/internal/localaws/account"
)

// queueURL is the address of a queue for a client that called host, empty for a caller in this process.
func queueURL(host, name string) string {
	return "http://" + cmp.Or(host, "sqs."+account.Region+".amazonaws.com") + "/" + account.ID + "/" + name
}

// queueARN is the ARN of a queue, of any account and region.
var queueARN = regexp.MustCompile(`^arn:aws:sqs:[^:]+:[^:]+:[\w-]{1,80}$`)

// queueName reads a QueueUrl: "scheme://host/account/name", "/account/name" or, as AWS allows, a bare name.
func queueName(address string) (string, error) {
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
	case parts[1] != account.ID:
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
