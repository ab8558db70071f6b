package esm

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Read reads a function's partial batch response, exactly as AWS does. batch has the message ids that were handed over as keys.
// It returns the ids that failed; an error means that the whole batch failed.
//
//	response                                                 meaning
//	empty, null, {}, {"batchItemFailures":null}, {…:[]}      all succeeded
//	{"batchItemFailures":[{"itemIdentifier":"known id"}]}    that message comes back, the others are deleted
//	an id twice                                              as once
//	an empty, null, missing or unknown itemIdentifier        the whole batch comes back
//	malformed JSON, or not of this shape                     the whole batch comes back
//
// Other members are ignored. Source: "Reporting batch item failures", Lambda developer guide, and behaviour recorded against AWS.
func Read(response []byte, batch map[string]string) (failed map[string]bool, err error) {
	var report struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(bytes.TrimSpace(response)) > 0 {
		if err := json.Unmarshal(response, &report, jsontext.AllowDuplicateNames(true)); err != nil {
			return nil, fmt.Errorf("malformed response: %w", err)
		}
	}
	failed = map[string]bool{}
	for _, failure := range report.Failures {
		if failure.ID == "" {
			return nil, errors.New("an item failure has no itemIdentifier")
		}
		if _, known := batch[failure.ID]; !known {
			return nil, fmt.Errorf("itemIdentifier %.40q is not in the batch", failure.ID)
		}
		failed[failure.ID] = true
	}
	return failed, nil
}
