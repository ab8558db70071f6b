package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-dev/millrace/internal/localaws/dynamodb"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
	"github.com/millrace-dev/millrace/pkg/dedup"
	"github.com/millrace-dev/millrace/pkg/dedup/dynamo"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

func states(answers []dedup.Answer) []dedup.State {
	states := make([]dedup.State, len(answers))
	for i, a := range answers {
		states[i] = a.State
	}
	return states
}

func claim(t *testing.T, s dedup.Store, ticket dedup.Ticket, claims []dedup.Claim, want ...dedup.State) {
	t.Helper()
	answers, err := s.Claim(t.Context(), ticket, claims)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	if diff := cmp.Diff(want, states(answers)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestStore_Reopened_RemembersWhatWasClaimedAndCommitted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	claims, ticket := storetest.Claims(3), storetest.Ticket()
	client, stop := serve(t, dir, nil)
	store := dynamo.New(dynamo.Options{Client: client, Table: table})
	claim(t, store, ticket, claims, dedup.Claimed, dedup.Claimed, dedup.Claimed)
	settled := dedup.Settlement{Claims: claims[:2], Committed: []bool{true, false}}
	if err := store.Settle(t.Context(), ticket, settled); err != nil {
		t.Fatal(err)
	}
	stop()
	client, _ = serve(t, dir, nil)
	store = dynamo.New(dynamo.Options{Client: client, Table: table})
	claim(t, store, storetest.Ticket(), append(claims, storetest.Claims(1)...),
		dedup.Committed, dedup.InProgress, dedup.InProgress, dedup.Claimed)
}

// A store that is newer, damaged or in use is refused with what to do. Nothing in it is
// changed: whoever can read it finds what was there.
func TestStore_DirectoryThatCannotBeRead_IsRefusedAndKept(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  error
		hint  string
	}{
		{"newer", func(t *testing.T, dir string) {
			log := openJournal(t, dir, dynamodb.JournalVersion+1)
			log.Set([]byte("of the future"), []byte("kept"))
			if err := errors.Join(log.Submit().Wait(), log.Close()); err != nil {
				t.Fatal(err)
			}
		}, journal.ErrNewer, "update this program"},
		{"damaged", damage, journal.ErrCorrupt, "move it away"},
		{"in use", func(t *testing.T, dir string) { serve(t, dir, nil) }, journal.ErrInUse, "stop that one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "store")
			tt.spoil(t, dir)
			for range 2 { // the first refusal has not made the second pass
				log, err := journal.Open(journal.Options{Dir: dir, Version: dynamodb.JournalVersion})
				if err == nil {
					_, err = dynamodb.Open(dynamodb.Options{}, log)
					log.Close()
				}
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.hint) || !strings.Contains(err.Error(), dir) {
					t.Errorf("error is %v, want %v that names %s and says %q", err, tt.want, dir, tt.hint)
				}
			}
			if errors.Is(tt.want, journal.ErrNewer) {
				log := openJournal(t, dir, dynamodb.JournalVersion+1)
				defer log.Close()
				found := 0
				err := log.Each([]byte("of the future"), func(_, _ []byte) error { found++; return nil })
				if err != nil || found != 1 {
					t.Errorf("the newer program finds %d of its keys, %v, want 1", found, err)
				}
			}
		})
	}
}

func openJournal(t *testing.T, dir string, version uint64) *journal.Journal {
	t.Helper()
	log, err := journal.Open(journal.Options{Dir: dir, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// damage flips bytes in the middle of each file of data. The files are longer than a block of
// the log: what is broken in its last block cannot be told from a torn end.
func damage(t *testing.T, dir string) {
	t.Helper()
	client, stop := serve(t, dir, nil)
	store := dynamo.New(dynamo.Options{Client: client, Table: table})
	if _, err := store.Claim(t.Context(), storetest.Ticket(), storetest.Claims(600)); err != nil {
		t.Fatal(err)
	}
	stop()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no log in %s: %v", dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(data) / 3; i < min(len(data), len(data)/3+64); i++ {
			data[i] ^= 0xff
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The reply to a conditional write is lost: the SDK repeats it, and meets our own claim.
func TestStore_LostReply_ClaimIsOurs(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprintf("taken over %v", taken), func(t *testing.T) {
			t.Parallel()
			var lose atomic.Bool
			client, _ := serve(t, "", &dynamodb.Faults{Lose: func(string, []byte) error {
				if lose.CompareAndSwap(true, false) {
					return dynamodb.Unavailable()
				}
				return nil
			}})
			clock := storetest.NewClock()
			store := dynamo.New(dynamo.Options{Client: client, Table: table, Now: clock.Now})
			claims, ticket := storetest.Claims(1), storetest.Ticket()
			if taken {
				claim(t, store, storetest.Ticket(), claims, dedup.Claimed)
				clock.Turn(storetest.Lease)
				// The first write meets the old claim; the reply to the take-over is to be lost.
				store = dynamo.New(dynamo.Options{Client: &losing{Client: client, lose: &lose, from: 2}, Table: table, Now: clock.Now})
			} else {
				lose.Store(true)
			}
			claim(t, store, ticket, claims, dedup.Claimed)
			if lose.Load() {
				t.Error("no reply was lost")
			}
			claim(t, store, storetest.Ticket(), claims, dedup.InProgress)
		})
	}
}

// losing loses the reply to one call.
type losing struct {
	dynamo.Client
	lose  *atomic.Bool
	calls atomic.Int64
	from  int64
}

func (l *losing) PutItem(ctx context.Context, in *sdk.PutItemInput, opts ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	if l.calls.Add(1) == l.from {
		l.lose.Store(true)
	}
	return l.Client.PutItem(ctx, in, opts...)
}

// Throttling is back-pressure, anything else is the store being away; neither is repeated
// for every key.
func TestStore_Trouble_IsTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault error
		busy  bool
	}{
		{"throttled", dynamodb.Throttled(), true},
		{"away", dynamodb.Unavailable(), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			client, _ := serve(t, "", &dynamodb.Faults{Intercept: func(string, []byte) error { calls.Add(1); return tt.fault }})
			store := dynamo.New(dynamo.Options{Client: client, Table: table})
			claims := storetest.Claims(500)
			answers, err := store.Claim(t.Context(), storetest.Ticket(), claims)
			if err == nil || errors.Is(err, dedup.ErrBusy) != tt.busy {
				t.Errorf("Claim: %v, want busy %v", err, tt.busy)
			}
			for i, a := range answers {
				if a.State != dedup.Unknown {
					t.Errorf("claim %d: %v, want unknown", i, a.State)
				}
			}
			if n := calls.Load(); n > 3*10 {
				t.Errorf("%d calls for a store in trouble, want at most three each of ten", n)
			}
			err = store.Settle(t.Context(), storetest.Ticket(), dedup.Settlement{Claims: claims, Committed: make([]bool, len(claims))})
			if err == nil || errors.Is(err, dedup.ErrBusy) != tt.busy {
				t.Errorf("Settle: %v, want busy %v", err, tt.busy)
			}
			for name, err := range noteErrors(t, store) {
				if err == nil || errors.Is(err, dedup.ErrBusy) != tt.busy {
					t.Errorf("%s: %v, want busy %v", name, err, tt.busy)
				}
			}
		})
	}
}

// noteErrors calls all that there is about notes.
func noteErrors(t *testing.T, store *dynamo.Store) map[string]error {
	t.Helper()
	added, addErr := store.AddNote(t.Context(), "a", nil, time.Minute)
	if added && addErr != nil {
		t.Errorf("AddNote added a note and failed: %v", addErr)
	}
	_, readErr := store.ReadNotes(t.Context(), "a")
	return map[string]error{
		"AddNote": addErr, "ReadNotes": readErr, "WriteNote": store.WriteNote(t.Context(), "a", nil, time.Minute),
	}
}

// The reply to the one who added a note is lost: nobody has added it, until it is over.
func TestStore_AddNote_LostReply_NobodyHasAddedIt(t *testing.T) {
	t.Parallel()
	var lose atomic.Bool
	lose.Store(true)
	client, _ := serve(t, "", &dynamodb.Faults{Lose: func(string, []byte) error {
		if lose.CompareAndSwap(true, false) {
			return dynamodb.Unavailable()
		}
		return nil
	}})
	clock := storetest.NewClock()
	store := dynamo.New(dynamo.Options{Client: client, Table: table, Now: clock.Now})
	for try, want := range []bool{false, false, true} {
		if try == 2 {
			clock.Turn(time.Minute)
		}
		if added, err := store.AddNote(t.Context(), "a", nil, time.Minute); err != nil || added != want {
			t.Errorf("try %d: added %v, %v; want %v", try, added, err, want)
		}
	}
}

// Some claims are answered although others meet trouble.
func TestStore_TroubleHalfway_KeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	client, _ := serve(t, "", &dynamodb.Faults{Intercept: func(op string, _ []byte) error {
		if op == "BatchGetItem" && calls.Add(1) > 0 {
			return dynamodb.Throttled()
		}
		return nil
	}})
	store := dynamo.New(dynamo.Options{Client: client, Table: table})
	known := storetest.Claims(1)
	claim(t, store, storetest.Ticket(), known, dedup.Claimed)
	answers, err := store.Claim(t.Context(), storetest.Ticket(), append(known, storetest.Claims(2)...))
	if !errors.Is(err, dedup.ErrBusy) {
		t.Errorf("Claim: %v, want busy", err)
	}
	if diff := cmp.Diff([]dedup.State{dedup.Unknown, dedup.Claimed, dedup.Claimed}, states(answers)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestStore_TableMissing_SaysSo(t *testing.T) {
	t.Parallel()
	client, _ := serve(t, "", nil)
	store := dynamo.New(dynamo.Options{Client: client, Table: "elsewhere"})
	_, err := store.Claim(t.Context(), storetest.Ticket(), storetest.Claims(1))
	if err == nil || !strings.Contains(err.Error(), "elsewhere: the table does not exist here") {
		t.Errorf("Claim: %v, want that table elsewhere does not exist", err)
	}
}

// What stands in the table must be what this version writes.
func TestStore_ForeignItem_IsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		change     func(map[string]types.AttributeValue)
	}{
		{"a newer version", "update it", func(it map[string]types.AttributeValue) { it["v"] = &types.AttributeValueMemberN{Value: "2"} }},
		{"no version", `no attribute "v"`, func(it map[string]types.AttributeValue) { delete(it, "v") }},
		{"a holder that is none", `no attribute "h"`, func(it map[string]types.AttributeValue) {
			it["h"] = &types.AttributeValueMemberB{Value: []byte("short")}
		}},
		{"a lease that is text", `no attribute "l"`, func(it map[string]types.AttributeValue) { it["l"] = &types.AttributeValueMemberS{Value: "1"} }},
		{"a lease before 1970", `no attribute "l"`, func(it map[string]types.AttributeValue) { it["l"] = &types.AttributeValueMemberN{Value: "-1"} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, _ := serve(t, "", nil)
			store := dynamo.New(dynamo.Options{Client: client, Table: table})
			claims := storetest.Claims(1)
			claim(t, store, storetest.Ticket(), claims, dedup.Claimed)
			all, err := client.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String(table)})
			if err != nil {
				t.Fatal(err)
			}
			tt.change(all.Items[0])
			if _, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String(table), Item: all.Items[0]}); err != nil {
				t.Fatal(err)
			}
			answers, err := store.Claim(t.Context(), storetest.Ticket(), claims)
			if err == nil || !strings.Contains(err.Error(), tt.want) || answers[0].State != dedup.Unknown {
				t.Errorf("Claim: %v, %v, want unknown and an error that says %q", answers, err, tt.want)
			}
		})
	}
}

// The table's time to live never removes what is needed still, and removes the rest.
func TestStore_Items_CarryTheirTimeToLive(t *testing.T) {
	t.Parallel()
	client, _ := serve(t, "", nil)
	clock := storetest.NewClock()
	store := dynamo.New(dynamo.Options{Client: client, Table: table, Now: clock.Now})
	claims, ticket := storetest.Claims(1), storetest.Ticket()
	claim(t, store, ticket, claims, dedup.Claimed)
	if err := store.Settle(t.Context(), ticket, dedup.Settlement{Claims: claims, Committed: []bool{true}, Rest: dedup.Release}); err != nil {
		t.Fatal(err)
	}
	all, err := client.Scan(t.Context(), &sdk.ScanInput{TableName: aws.String(table)})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Items) != 2 {
		t.Fatalf("%d items, want a claim and a settlement", len(all.Items))
	}
	for _, it := range all.Items {
		least := clock.Now().Add(storetest.Window + time.Hour).Unix()
		ttl := it[dynamo.TTLAttribute].(*types.AttributeValueMemberN).Value
		if got := fmt.Sprint(least); ttl < got {
			t.Errorf("ttl is %s, want at least the window and an hour: %s", ttl, got)
		}
	}
}
