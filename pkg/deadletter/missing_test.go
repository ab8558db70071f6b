package deadletter_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/deadletter"
)

func TestMissing_TellsTheStoryAndKeepsTheClaim(t *testing.T) {
	t.Parallel()
	failed := noon.Add(-time.Hour)
	claim := "packs/acme/4bfda82ab91d726348e0fb8029fa8578a9d367e1f2b2d6effc8f0ecdd498c8d8"
	fresh := batch.Header{Version: 1, ID: "p1", Tenant: "acme", Count: 1, Bytes: 2 << 20, Encoding: "identity", Sum: "c19f7ad9", Claim: claim}
	residue := fresh
	residue.Sink, residue.Attempt, residue.NotBefore = "http", 3, noon.Add(time.Hour)
	residue.Reason = &batch.Reason{Class: "transient", First: failed, Last: failed}
	for _, row := range []struct {
		name string
		h    batch.Header
		want batch.Reason
	}{
		{"a fresh pack", fresh, batch.Reason{First: noon}},
		{"a residue", residue, batch.Reason{Attempts: 3, First: failed}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			letter, err := deadletter.Missing(row.h, errors.New("status 404 NoSuchKey"), noon)
			if err != nil {
				t.Fatal(err)
			}
			h, err := batch.ParseHeader([]byte(letter.Body))
			if err != nil {
				t.Fatal(err)
			}
			row.want.Class, row.want.Stop, row.want.Cause, row.want.Last = "permanent", deadletter.StopMissing, "status 404 NoSuchKey", noon
			if diff := cmp.Diff(&row.want, h.Reason); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
			if h.Claim != claim || h.ID != "p1" || h.Sink != row.h.Sink || !h.NotBefore.IsZero() || letter.Events != nil {
				t.Errorf("header is %+v, want that of the pack", h)
			}
			if deadletter.Native(&h) || !deadletter.Replayable(&h) || deadletter.ClassOf(&h) != "permanent" {
				t.Error("want a letter that somebody gave up, and that can be replayed once the object is back")
			}
		})
	}
}
