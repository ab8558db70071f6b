package cloud

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"github.com/millrace-dev/millrace/internal/demosink"
)

// largeBytes do not fit a message even when they are compressed.
const largeBytes = 2 << 20

// large sends events through the bucket, to a sink that is well and, by replay, to one that
// was sick.
func (j *journey) large(t *testing.T) {
	j.wantDelivered(t, j.healthy, j.postLarge(t, "large"))
	j.sick.Behave(demosink.Behaviour{Status: 400})
	id := j.postLarge(t, "sick and large")
	j.wantDepth(t, j.letterURL, 1)
	j.sick.Behave(demosink.Behaviour{})
	t.Log(j.millrace(t, "replay", "--stack", stackName, "--sink", "sick"))
	j.wantDelivered(t, j.sick, id)
}

// postLarge sends an event that is larger than a message, and returns its id.
func (j *journey) postLarge(t *testing.T, kind string) string {
	t.Helper()
	id := uuid.NewString()
	if status, reply := j.send(t, largeEvent(id, kind), key, ""); status/100 != 2 {
		t.Fatalf("%s: status %d %s, want 2xx", kind, status, reply)
	}
	return id
}

func largeEvent(id, kind string) []byte {
	noise := make([]byte, largeBytes/4*3)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // never fails
	return fmt.Appendf(nil, `{"id":%q,"type":%q,"noise":%q}`, id, kind, base64.StdEncoding.EncodeToString(noise))
}

func (j *journey) acceptLarge(t *testing.T) error {
	t.Helper()
	status, reply := j.send(t, largeEvent(uuid.NewString(), "large"), key, "")
	return accepted(status, reply)
}

func (j *journey) deliverLarge(t *testing.T) error {
	t.Helper()
	id := j.postLarge(t, "large")
	if err := j.drainNow(t); err != nil {
		return err
	}
	return j.arrivedOnce(id)
}

// deferLarge has an event flushed that its sink wants later: it is stored anew for that.
func (j *journey) deferLarge(t *testing.T) error {
	t.Helper()
	j.sick.Behave(demosink.Behaviour{Status: 503})
	j.postLarge(t, "sick and large")
	return j.drainNow(t)
}

// replayLarge sends an event again that is stored anew for that.
func (j *journey) replayLarge(t *testing.T) error {
	t.Helper()
	j.sick.Behave(demosink.Behaviour{Status: 400})
	j.postLarge(t, "sick and large")
	if err := j.drainNow(t); err != nil {
		t.Fatal(err)
	}
	reply, err := j.invoke(t, j.replayName, map[string]any{"sink": "sick"})
	if err != nil {
		return err
	}
	var report struct{ Replayed int }
	if err := json.Unmarshal(reply, &report); err != nil || report.Replayed != 1 {
		return fmt.Errorf("%s", reply)
	}
	return nil
}
