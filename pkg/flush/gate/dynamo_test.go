package gate_test

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo/dynamotest"
	"github.com/millrace-dev/millrace/pkg/flush/gate"
	"github.com/millrace-dev/millrace/pkg/retry"
)

// The whole way, with the store that is deployed and a server of its protocol.
func TestBoard_InDynamoDB_OneEnvironmentShutsTheSinkForAnother(t *testing.T) {
	t.Parallel()
	service, err := dynamodb.Open(dynamodb.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	client := dynamotest.NewClient(server.URL)
	store := dynamo.New(dynamo.Options{Client: client, Table: dynamotest.Table(t, client)})

	logger := slog.New(slog.DiscardHandler)
	one, other := gate.NewBoard(store, logger), gate.NewBoard(store, logger)
	gates := map[*gate.Board]*gate.Gate{}
	for _, board := range []*gate.Board{one, other} {
		gates[board] = gate.New(gate.Options{Name: "Lager ✓", Board: board, FailuresToOpen: 1, OpenFor: time.Hour})
	}
	attempt := func(board *gate.Board, class retry.Class) error {
		return gates[board].Attempt(t.Context(), 1, 0, func() gate.Verdict { return gate.Verdict{Class: class, Cause: "status 401"} })
	}
	if err := attempt(one, retry.Setup); err != nil {
		t.Fatal(err)
	}
	other.Look(t.Context())
	var shut *gate.ShutError
	if err := attempt(other, ""); !errors.As(err, &shut) || shut.Class != retry.Setup {
		t.Errorf("the other environment: %v, want that it leaves the sink alone for setup", err)
	}
	standings, err := gate.ReadStandings(t.Context(), store, "Lager ✓", "other")
	if s := standings["Lager ✓"]; err != nil || len(standings) != 1 || s.State != gate.Open || s.Class != retry.Setup || s.Cause != "status 401" {
		t.Errorf("standings %+v, %v; want the sink open for setup", standings, err)
	}
}
