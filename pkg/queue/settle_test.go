package queue_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	embedded "github.com/millrace-dev/millrace/internal/localaws/sqs"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/queue/queuetest"
)

// filled is a queue with n packs, all of them received.
func filled(t *testing.T, n int) (q *queue.Queue, receipts []string) {
	t.Helper()
	q = queuetest.Start(t, embedded.Options{}).Queue(t, "packs")
	if err := q.Send(t.Context(), packs(t, n, 10)...); err != nil {
		t.Fatal(err)
	}
	for len(receipts) < n {
		got := receive(t, q, 0)
		if len(got) == 0 {
			t.Fatalf("only %d of %d messages", len(receipts), n)
		}
		for _, m := range got {
			receipts = append(receipts, m.Receipt)
		}
	}
	return q, receipts
}

func TestQueue_Delete_MoreThanOneCallHolds(t *testing.T) {
	t.Parallel()
	q, receipts := filled(t, 25)
	if err := q.Delete(t.Context(), receipts...); err != nil {
		t.Fatal(err)
	}
	wantDepth(t, q, queue.Depth{})
	if err := q.Delete(t.Context(), receipts...); err != nil {
		t.Errorf("deleting twice: %v, want no error", err)
	}
	if err := q.Delete(t.Context()); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func TestQueue_Hide_ZeroReleases(t *testing.T) {
	t.Parallel()
	q, receipts := filled(t, 25)
	wantDepth(t, q, queue.Depth{InFlight: 25})
	if err := q.Hide(t.Context(), 0, receipts...); err != nil {
		t.Fatal(err)
	}
	wantDepth(t, q, queue.Depth{Visible: 25})
}

func TestQueue_Hide_LastsAsLongAsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, receipts := filled(t, 12)
		if err := q.Hide(t.Context(), 10*time.Minute, receipts...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute - time.Second)
		wantDepth(t, q, queue.Depth{InFlight: 12})
		time.Sleep(time.Second)
		wantDepth(t, q, queue.Depth{Visible: 12})
	})
}

func TestQueue_Hide_ReceiptsThatCameTooLate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		hide    time.Duration
		wantErr string
	}{
		{"released already is released", 0, ""},
		{"hidden is not what they are", time.Minute, "MessageNotInflight"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, receipts := filled(t, 13)
				if err := q.Delete(t.Context(), receipts[12]); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute) // all but the deleted one are visible again
				err := q.Hide(t.Context(), row.hide, receipts...)
				if row.wantErr == "" && err != nil {
					t.Errorf("error is %v, want none", err)
				}
				if row.wantErr != "" && (err == nil || !strings.Contains(err.Error(), row.wantErr)) {
					t.Errorf("error is %v, want %s", err, row.wantErr)
				}
				wantDepth(t, q, queue.Depth{Visible: 12})
			})
		})
	}
}

func TestQueue_Settle_OneBadReceiptDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	q, receipts := filled(t, 20)
	receipts[3] = "no receipt"
	if err := q.Hide(t.Context(), 0, receipts...); err == nil || !strings.Contains(err.Error(), "ReceiptHandleIsInvalid") {
		t.Errorf("hide: error is %v, want ReceiptHandleIsInvalid", err)
	}
	wantDepth(t, q, queue.Depth{Visible: 19, InFlight: 1})
	if err := q.Delete(t.Context(), receipts...); err == nil || !strings.Contains(err.Error(), "ReceiptHandleIsInvalid") {
		t.Errorf("delete: error is %v, want ReceiptHandleIsInvalid", err)
	}
	wantDepth(t, q, queue.Depth{InFlight: 1})
}
