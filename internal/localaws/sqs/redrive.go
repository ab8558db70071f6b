package sqs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// redrivePolicy says where messages go that were received too often. The zero value keeps them.
type redrivePolicy struct {
	targetARN string
	// maxReceives is how often a message is received before it moves.
	maxReceives int32
}

// redriveAllowPolicy says which queues may name this one as their dead-letter queue. The zero value allows all.
type redriveAllowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// maxAllowedSources bounds sourceQueueArns (SetQueueAttributes reference).
const maxAllowedSources = 10

// readRedrive reads the attribute RedrivePolicy. The count may be 5 or "5": AWS takes both, CloudFormation writes numbers,
// the CLI's users strings.
func readRedrive(value string) (policy redrivePolicy, err error) {
	if value == "" {
		return policy, nil
	}
	var in struct {
		Target string         `json:"deadLetterTargetArn"`
		Max    jsontext.Value `json:"maxReceiveCount"`
	}
	unread := json.Unmarshal([]byte(value), &in)
	receives, notNumber := strconv.ParseInt(strings.Trim(string(in.Max), `"`), 10, 32)
	if unread != nil || !queueARN.MatchString(in.Target) || notNumber != nil || receives < 1 || receives > MaxReceiveCountSetting {
		return policy, errValue("RedrivePolicy", value,
			"It must be a valid JSON map with deadLetterTargetArn, the ARN of a queue, and maxReceiveCount, from 1 to 1000 both inclusive.")
	}
	return redrivePolicy{in.Target, int32(receives)}, nil
}

// readRedriveAllow reads the attribute RedriveAllowPolicy.
func readRedriveAllow(value string) (policy redriveAllowPolicy, err error) {
	if value == "" {
		return policy, nil
	}
	unread := json.Unmarshal([]byte(value), &policy)
	isPermission := slices.Contains([]string{"allowAll", "denyAll", "byQueue"}, policy.Permission)
	needsSources := policy.Permission == "byQueue"
	if unread != nil || !isPermission || needsSources != (len(policy.Sources) > 0) || len(policy.Sources) > maxAllowedSources {
		return policy, errValue("RedriveAllowPolicy", value,
			"It must be a valid JSON map with redrivePermission, which is allowAll, denyAll or, with 1 to 10 sourceQueueArns, byQueue.")
	}
	return policy, nil
}

// allows says whether the queue with that ARN may use this one as its dead-letter queue.
func (p redriveAllowPolicy) allows(source string) bool {
	return p.Permission != "denyAll" && (p.Permission != "byQueue" || slices.Contains(p.Sources, source))
}

// checkRedrive refuses a dead-letter queue that is not there or does not take letters of that source.
func (s *Service) checkRedrive(sourceARN string, wanted settings) error {
	if wanted.redrive.targetARN == "" {
		return nil
	}
	var reason string
	switch target := s.byARN(wanted.redrive.targetARN); {
	case target == nil:
		reason = "Dead letter target does not exist."
	case target.arn == sourceARN:
		reason = "A queue cannot be its own dead letter target."
	case !target.settings.allow.allows(sourceARN):
		reason = "Dead letter target does not allow redrive from " + sourceARN + "."
	default:
		return nil
	}
	return errValue("RedrivePolicy", wanted.values["RedrivePolicy"], reason)
}
