package sqs

import (
	"slices"
	"strconv"

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
	permission string
	sources    []string
}

// maxAllowedSources bounds sourceQueueArns (SetQueueAttributes reference).
const maxAllowedSources = 10

func errPolicy(name, value, reason string) *Error {
	return errParameter("Value %s for parameter %s is invalid. Reason: %s", value, name, reason)
}

func setRedrive(s *settings, name, value string) *Error {
	if value == "" {
		s.redrive = redrivePolicy{}
		return nil
	}
	var in struct {
		Target *string        `json:"deadLetterTargetArn"`
		Max    jsontext.Value `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(value), &in); err != nil {
		return errPolicy(name, value, "Redrive policy is not a valid JSON map.")
	}
	switch {
	case in.Target == nil:
		return errPolicy(name, value, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case in.Max == nil:
		return errPolicy(name, value, "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	}
	if _, ok := parseARN(*in.Target); !ok {
		return errPolicy(name, value, "Invalid value for deadLetterTargetArn.")
	}
	receives, err := numberOrText(in.Max)
	if err != nil || receives < 1 || receives > MaxReceiveCountSetting {
		return errPolicy(name, value, "Invalid value for maxReceiveCount: "+string(in.Max)+", valid values are from 1 to 1000 both inclusive.")
	}
	s.redrive = redrivePolicy{targetARN: *in.Target, maxReceives: int32(receives)}
	return nil
}

// numberOrText reads 5 as well as "5": AWS takes both, CloudFormation writes numbers, the CLI's users strings.
func numberOrText(v jsontext.Value) (int64, error) {
	text := string(v)
	if v.Kind() == '"' {
		if err := json.Unmarshal(v, &text); err != nil {
			return 0, err
		}
	}
	return strconv.ParseInt(text, 10, 32)
}

func setRedriveAllow(s *settings, name, value string) *Error {
	if value == "" {
		s.allow = redriveAllowPolicy{}
		return nil
	}
	var in struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns"`
	}
	if err := json.Unmarshal([]byte(value), &in); err != nil {
		return errPolicy(name, value, "Redrive allow policy is not a valid JSON map.")
	}
	byQueue := in.Permission == "byQueue"
	switch {
	case !byQueue && in.Permission != "allowAll" && in.Permission != "denyAll":
		return errPolicy(name, value, "Invalid value for redrivePermission, valid values are allowAll, denyAll and byQueue.")
	case byQueue != (len(in.Sources) > 0), len(in.Sources) > maxAllowedSources:
		return errPolicy(name, value, "sourceQueueArns must name 1 to 10 queues with byQueue, and must be absent otherwise.")
	}
	s.allow = redriveAllowPolicy{permission: in.Permission, sources: in.Sources}
	return nil
}

// allows says whether the queue with that ARN may use this one as its dead-letter queue.
func (p redriveAllowPolicy) allows(source string) bool {
	switch p.permission {
	case "denyAll":
		return false
	case "byQueue":
		return slices.Contains(p.sources, source)
	}
	return true
}

func isJSONObject(text string) bool {
	v := jsontext.Value(text)
	return v.IsValid() && v.Kind() == '{'
}
