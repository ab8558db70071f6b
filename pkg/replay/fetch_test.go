package replay_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/claimcheck/claimtest"
	"github.com/millrace-dev/millrace/pkg/event"
	"github.com/millrace-dev/millrace/pkg/queue"
	"github.com/millrace-dev/millrace/pkg/replay"
)

// withBucket gives a world a bucket, and a letter in it.
func withBucket(t *testing.T, w *world) (s3 *claimtest.Server, large batch.Message) {
	t.Helper()
	s3 = claimtest.NewServer(t)
	bucket := s3.Bucket()
	w.letters, w.main = w.letters.WithBucket(bucket), w.main.WithBucket(bucket)
	w.options.Letters, w.options.Queue, w.options.Bucket = w.letters, w.main, bucket
	data := make([]byte, 2<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	meta := batch.Meta{
		Tenant: "acme", Receiver: "generic", First: noon, Last: noon, Sink: "warehouse", Attempt: 5,
		Reason: &batch.Reason{Class: "transient", Stop: "attempts", Attempts: 5, First: noon, Last: noon},
	}
	messages, err := batch.Encode(meta, []event.Event{{ID: "large", Source: "test", Type: "payment.made", Kind: "event", Data: data}})
	if err != nil || len(messages) != 1 || messages[0].Header.Claim == "" {
		t.Fatalf("encode: %d messages, %v, want one with a claim", len(messages), err)
	}
	w.put(t, messages[0])
	return s3, messages[0]
}

func TestReplayer_Run_LargeLetter_IsReplayedWithItsObject(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]replay.Request{"whole": {}, "by type": paid()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s3, large := withBucket(t, w)
				before := len(s3.Calls())
				got := w.run(t, request)
				if got.Replayed != 1 || got.Events != 1 {
					t.Errorf("report is %+v, want the letter replayed", got)
				}
				claim := large.Header.Claim
				// The object is put anew: the new message outlives the letter, and the object must outlive both.
				if diff := cmp.Diff([]string{"GET " + claim, "PUT " + claim}, s3.Calls()[before:]); diff != "" {
					t.Errorf("calls of S3 (-want +got):\n%s", diff)
				}
				messages, err := w.main.Receive(t.Context(), queue.MaxEntries, 0, 0)
				if err != nil || len(messages) != 1 {
					t.Fatalf("main queue gave %d messages, %v, want 1", len(messages), err)
				}
				h, err := batch.ParseHeader(messages[0].Body)
				if err != nil || h.Claim != claim || h.Generation != 1 || h.Sink != "warehouse" {
					t.Errorf("header is %+v, %v; want the claim of the letter in generation 1 for warehouse", h, err)
				}
				if !bytes.Equal(s3.Objects()[claim], large.Events) {
					t.Error("the object has changed")
				}
				w.wantLetters(t, queue.Depth{})
			})
		})
	}
}

func TestReplayer_Run_LargeLetter_DryRunFetchesNothingItNeedNotLookAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s3, large := withBucket(t, w)
		before := len(s3.Calls())
		if got := w.run(t, replay.Request{DryRun: true}); got.Replayed != 1 || got.Bytes > batch.MaxHeaderBytes {
			t.Errorf("report is %+v, want one letter with the bytes of its message", got)
		}
		if calls := s3.Calls()[before:]; len(calls) != 0 {
			t.Errorf("S3 was asked %v", calls)
		}
		byType := paid()
		byType.DryRun = true
		if got := w.run(t, byType); got.Replayed != 1 {
			t.Errorf("report is %+v, want the letter found by its type", got)
		}
		if diff := cmp.Diff([]string{"GET " + large.Header.Claim}, s3.Calls()[before:]); diff != "" {
			t.Errorf("calls of S3 (-want +got):\n%s", diff)
		}
	})
}

// mute is a bucket that never answers.
type mute struct{}

func (mute) Get(ctx context.Context, _ string, _ int) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Waiting for the bucket ends early enough to put letters back.
func TestReplayer_Run_MuteBucket_KeepsItsMargin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		withBucket(t, w)
		w.options.Bucket = mute{}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		began := time.Now()
		report, err := w.try(t, ctx, replay.Request{Limit: 5})
		if err != nil || !report.More || report.Left["the bucket does not answer"] != 1 {
			t.Errorf("report is %+v, %v; want a letter that stays and more to do", report, err)
		}
		if took := time.Since(began); took > 50*time.Second {
			t.Errorf("took %v of its minute, want a sixth kept back", took)
		}
		w.wantLetters(t, queue.Depth{Visible: 1})
	})
}

// What the bucket does not give stays a letter, and holds nothing else up.
func TestReplayer_Run_LargeLetter_WithoutItsEvents_Stays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		trouble func(w *world, s3 *claimtest.Server, claim string)
		left    string
	}{
		{"no permission", func(_ *world, s3 *claimtest.Server, _ string) {
			s3.Break(claimtest.Failure{Status: http.StatusForbidden, Code: "AccessDenied"})
		}, "the bucket does not answer"},
		{"no bucket", func(w *world, _ *claimtest.Server, _ string) { w.options.Bucket = nil }, "the bucket does not answer"},
		{"no object", func(_ *world, s3 *claimtest.Server, claim string) { s3.Change(claim, nil) }, "events cannot be read"},
		{"another object", func(_ *world, s3 *claimtest.Server, claim string) { s3.Change(claim, []byte("x")) }, "events cannot be read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s3, large := withBucket(t, w)
				w.put(t, letter(t, "small", nil))
				row.trouble(w, s3, large.Header.Claim)
				got := w.run(t, replay.Request{})
				if diff := cmp.Diff(map[string]int{row.left: 1}, got.Left); diff != "" || got.Replayed != 1 {
					t.Errorf("replayed %d, left (-want +got):\n%s", got.Replayed, diff)
				}
				w.wantMain(t, 1)
				w.wantLetters(t, queue.Depth{Visible: 1})
				s3.Heal()
				s3.Change(large.Header.Claim, large.Events)
				w.options.Bucket = s3.Bucket()
				if again := w.run(t, replay.Request{}); again.Replayed != 1 {
					t.Errorf("with the object restored: %+v, want it replayed", again)
				}
				w.wantMain(t, 2)
			})
		})
	}
}
