package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
)

// sinkState is how a sink stands, as flushes tell each other.
type sinkState struct {
	// State is open (left alone), half-open (about to be probed) or closed (well).
	State string `json:"state"`
	// Until is when an open one may be probed.
	Until time.Time `json:"until,omitzero"`
	Class string    `json:"class,omitempty"`
	Cause string    `json:"cause,omitempty"`
	// Since is when that was written down.
	Since time.Time `json:"since"`
}

// readStates reads what is known of sinks from the table. Where there is no table, nothing is known.
func readStates(ctx context.Context, config aws.Config, table string, sinks []string) map[string]sinkState {
	store := dynamo.New(dynamo.Options{Client: dynamodb.NewFromConfig(config), Table: table})
	states := make(map[string]sinkState)
	standings, err := gate.ReadStandings(ctx, store, sinks...)
	if err != nil {
		return states // the books matter more
	}
	for name, s := range standings {
		states[name] = sinkState{State: string(s.State), Until: s.Until, Class: string(s.Class), Cause: s.Cause, Since: s.At}
	}
	return states
}

// describeStates tells of the sinks that are left alone.
func describeStates(states map[string]sinkState) string {
	var t strings.Builder
	for _, name := range slices.Sorted(maps.Keys(states)) {
		if s := states[name]; s.State != string(gate.Closed) {
			fmt.Fprintf(&t, "state    %s is %s since %s (%s: %s), tried again at %s\n",
				name, s.State, moment(s.Since), s.Class, oneLine(s.Cause), moment(s.Until))
		}
	}
	return t.String()
}
