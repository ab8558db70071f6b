package batch_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/pkg/batch"
	"github.com/millrace-dev/millrace/pkg/event"
)

// large is an event that no message holds.
func large() []event.Event { return incompressible(1, 3<<20) }

func TestEncode_LargeEvent_IsCheckedInUnderItsContent(t *testing.T) {
	t.Parallel()
	m := encode(t, meta(), large())[0]
	sum := sha256.Sum256(m.Events)
	if want := "packs/acme/" + hex.EncodeToString(sum[:]); m.Header.Claim != want {
		t.Errorf("claim is %q, want %q", m.Header.Claim, want)
	}
	if m.Bytes() != len(m.Body) {
		t.Errorf("message counts %d bytes, want those of its body, %d", m.Bytes(), len(m.Body))
	}
	h, err := batch.ParseHeader([]byte(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := batch.DecodeEvents(&h, nil); !errors.Is(err, batch.ErrCheckedIn) || !strings.Contains(err.Error(), h.Claim) {
		t.Errorf("decoded without its object: got %v, want %v with the claim", err, batch.ErrCheckedIn)
	}
	if _, err := batch.DecodeEvents(&h, m.Events[1:]); !errors.Is(err, batch.ErrCorrupt) {
		t.Errorf("decoded from another object: got %v, want %v", err, batch.ErrCorrupt)
	}
	events, err := batch.DecodeEvents(&h, m.Events)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(events[0].Data, large()[0].Data) {
		t.Error("the event came back with other bytes")
	}
}

func TestEncode_LargeEventThatCompresses_NeedsNoBucket(t *testing.T) {
	t.Parallel()
	events := checkouts(1)
	events[0].Data = bytes.Repeat([]byte("lorem ipsum "), 300_000)
	m := encode(t, meta(), events)[0]
	if m.Header.Claim != "" {
		t.Errorf("a pack of %d bytes was checked in", len(m.Events))
	}
}

func TestEncode_SameContent_HasTheSameClaim(t *testing.T) {
	t.Parallel()
	fresh := encode(t, meta(), large())[0]
	residue := meta()
	residue.Sink, residue.Attempt, residue.Reason = "warehouse", 2, &batch.Reason{Class: "transient"}
	again := encode(t, residue, large())[0]
	if again.Header.Claim != fresh.Header.Claim || again.Header.ID == fresh.Header.ID {
		t.Errorf("residue has claim %q and id %s, want claim %q and another id than %s",
			again.Header.Claim, again.Header.ID, fresh.Header.Claim, fresh.Header.ID)
	}
	other := large()
	other[0].Data[0] ^= 1
	changed := encode(t, meta(), other)[0]
	if changed.Header.Claim == fresh.Header.Claim {
		t.Error("other bytes under the same event id have the same claim: one would overwrite the other")
	}
	letter, err := batch.Readdress(fresh.Header, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if letter.Header.Claim != fresh.Header.Claim {
		t.Errorf("replayed with claim %q, want %q", letter.Header.Claim, fresh.Header.Claim)
	}
}

func TestEncode_AnyTenant_ClaimsBelowOnePrefixOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, tenant := range []string{
		"acme", "Acme", "a.b-c_d", ".", "..", "...", "../acme", "a/b", "größe", "a b", "~acme", "%2e%2e", "\x00",
		strings.Repeat("x", 64), strings.Repeat("x", 65), strings.Repeat("x", 66),
	} {
		m := meta()
		m.Tenant = tenant
		events := large()
		claim := encode(t, m, events)[0].Header.Claim
		if path.Clean(claim) != claim || strings.Count(claim, "/") != 2 {
			t.Errorf("tenant %q has claim %q, which is no plain path of three parts", tenant, claim)
		}
		if other, taken := seen[claim]; taken {
			t.Errorf("tenants %q and %q share %q", tenant, other, claim)
		}
		seen[claim] = tenant
	}
}

func TestParseHeader_ForeignClaim_IsCorrupt(t *testing.T) {
	t.Parallel()
	m := encode(t, meta(), large())[0]
	sum := strings.TrimPrefix(m.Header.Claim, "packs/acme/")
	for name, claim := range map[string]string{
		"of another tenant":      "packs/zeta/" + sum,
		"of no tenant":           "packs/" + sum,
		"through the parent":     "packs/acme/../zeta/" + sum,
		"ending elsewhere":       m.Header.Claim + "/../../zeta",
		"outside of the packs":   "archive/acme/" + sum,
		"absolute":               "/" + m.Header.Claim,
		"in upper case":          "packs/acme/" + strings.ToUpper(sum),
		"too short":              m.Header.Claim[:len(m.Header.Claim)-1],
		"with a query":           m.Header.Claim[:len(m.Header.Claim)-4] + "?acl",
		"of ten kilobytes":       "packs/acme/" + strings.Repeat(sum, 160),
		"a URL":                  "https://example.com/" + m.Header.Claim,
		"a prefix of the tenant": "packs/acm/" + sum,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := batch.ParseHeader(withClaim(t, m.Body, claim))
			if !errors.Is(err, batch.ErrCorrupt) {
				t.Fatalf("claim %.80q: got %v, want %v", claim, err, batch.ErrCorrupt)
			}
			if len(err.Error()) > 500 {
				t.Errorf("the error repeats %d bytes of the claim", len(err.Error()))
			}
		})
	}
}

// withClaim is a header with another claim.
func withClaim(tb testing.TB, body, claim string) []byte {
	tb.Helper()
	var h map[string]any
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		tb.Fatal(err)
	}
	h["claim"] = claim
	changed, err := json.Marshal(h)
	if err != nil {
		tb.Fatal(err)
	}
	return changed
}

// FuzzClaim puts arbitrary claims and tenants into a header: what is taken can only be an
// object of that tenant, whatever a store makes of the key.
func FuzzClaim(f *testing.F) {
	good, err := batch.Encode(meta(), large())
	if err != nil {
		f.Fatal(err)
	}
	sum := strings.TrimPrefix(good[0].Header.Claim, "packs/acme/")
	f.Add("acme", good[0].Header.Claim)
	f.Add("acme", "packs/zeta/"+sum)
	f.Add("..", "packs/../"+sum)
	f.Add("a/b", "packs/a/b/"+sum)
	f.Add("acme", strings.Repeat("packs/acme/", 1000))
	f.Fuzz(func(t *testing.T, tenant, claim string) {
		var h batch.Header
		if err := json.Unmarshal([]byte(good[0].Body), &h); err != nil {
			t.Fatal(err)
		}
		h.Tenant, h.Claim = tenant, claim
		body, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := batch.ParseHeader(body)
		if err != nil || parsed.Claim == "" {
			return
		}
		parts := strings.Split(parsed.Claim, "/")
		if len(parts) != 3 || parts[0] != "packs" || len(parts[2]) != len(sum) || path.Clean(parsed.Claim) != parsed.Claim {
			t.Fatalf("took claim %q", parsed.Claim)
		}
		for _, other := range []string{parsed.Tenant + "x", "x" + parsed.Tenant, "zeta!"} {
			h.Tenant = other
			if body, err = json.Marshal(h); err != nil {
				t.Fatal(err)
			}
			if _, err := batch.ParseHeader(body); !errors.Is(err, batch.ErrCorrupt) && !errors.Is(err, batch.ErrNotPack) {
				t.Fatalf("claim %q is good for tenant %q and for %q", parsed.Claim, parsed.Tenant, other)
			}
		}
	})
}
