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
	var reason string
	unread := json.Unmarshal([]byte(value), &in)
	_, isARN := parseARN(in.Target)
	receives, notNumber := strconv.ParseInt(strings.Trim(string(in.Max), `"`), 10, 32)
	switch {
	case unread != nil:
		reason = "Redrive policy is not a valid JSON map."
	case in.Target == "":
		reason = "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
	case in.Max == nil:
		reason = "Redrive policy does not contain mandatory attribute: maxReceiveCount."
	case !isARN:
		reason = "Invalid value for deadLetterTargetArn."
	case notNumber != nil || receives < 1 || receives > MaxReceiveCountSetting:
		reason = "Invalid value for maxReceiveCount: " + string(in.Max) + ", valid values are from 1 to 1000 both inclusive."
	default:
		return redrivePolicy{in.Target, int32(receives)}, nil
	}
	return policy, errValue("RedrivePolicy", value, reason)
}

// readRedriveAllow reads the attribute RedriveAllowPolicy.
func readRedriveAllow(value string) (policy redriveAllowPolicy, err error) {
	if value == "" {
		return policy, nil
	}
	var reason string
	unread := json.Unmarshal([]byte(value), &policy)
	switch byQueue := policy.Permission == "byQueue"; {
	case unread != nil:
		reason = "Redrive allow policy is not a valid JSON map."
	case !byQueue && policy.Permission != "allowAll" && policy.Permission != "denyAll":
		reason = "Invalid value for redrivePermission, valid values are allowAll, denyAll and byQueue."
	case byQueue != (len(policy.Sources) > 0), len(policy.Sources) > maxAllowedSources:
		reason = "sourceQueueArns must name 1 to 10 queues with byQueue, and must be absent otherwise."
	default:
		return policy, nil
	}
	return policy, errValue("RedriveAllowPolicy", value, reason)
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
