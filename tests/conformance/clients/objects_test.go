package clients_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws"
)

func TestBoto3_Objects(t *testing.T) {
	t.Parallel()
	python := filepath.Join(pythonHome(t), "bin", "python")
	script, err := filepath.Abs("objects.py")
	if err != nil {
		t.Fatal(err)
	}
	server, err := localaws.Start(t.Context(), localaws.Options{Buckets: []string{"claims"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	type objects struct {
		Keys                  []string
		Body, Tenant, Refusal string
		Same                  bool
	}
	var got objects
	decode(t, run(t, server.AWSURL(), python, script), &got)
	want := objects{Keys: []string{"grüße/1.json", "large"}, Body: `{"a":1}`, Tenant: "acmeacme", Refusal: "NoSuchKey", Same: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the client saw (-want +got):\n%s", diff)
	}
}
