package localaws_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/internal/localaws/sqs"
)

func TestServer_DataDir_KeepsQueuesAndTakesNewAttributes(t *testing.T) {
	t.Parallel()
	options := localaws.Options{
		DataDir: filepath.Join(t.TempDir(), "queues"),
		Queues: []localaws.Queue{
			{Name: "dead"},
			{Name: "main", Attributes: map[string]string{"VisibilityTimeout": "30", "RedrivePolicy": localaws.RedrivePolicy("dead", 2)}},
		},
	}
	first := start(t, options)
	if _, err := first.SQS().Send(t.Context(), "main", sqs.SendInput{Body: "kept"}); err != nil {
		t.Fatal(err)
	}
	if _, err := localaws.Start(t.Context(), options); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("a second server on the directory: %v, want ErrInUse", err)
	}
	if err := first.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	options.Queues[1].Attributes = map[string]string{"VisibilityTimeout": "60", "RedrivePolicy": localaws.RedrivePolicy("dead", 5)}
	second := start(t, options)
	got, err := second.SQS().Peek("main")
	if err != nil || len(got) != 1 || got[0].Body != "kept" {
		t.Errorf("after the restart: %+v, %v; want the message", got, err)
	}
}
