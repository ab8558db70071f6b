package event_test

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/event"
)

func TestEvent_Identity_SeparatesTenantsAndSources(t *testing.T) {
	t.Parallel()
	base := event.Event{Tenant: "acme", Source: "web", ID: "1", Type: "a"}
	same := event.Event{Tenant: "acme", Source: "web", ID: "1", Type: "b"}
	if base.Identity() != same.Identity() {
		t.Errorf("the type is not part of the identity: %v != %v", base.Identity(), same.Identity())
	}
	for name, other := range map[string]event.Event{
		"another tenant":      {Tenant: "ACME", Source: "web", ID: "1"},
		"another source":      {Tenant: "acme", Source: "app", ID: "1"},
		"another id":          {Tenant: "acme", Source: "web", ID: "2"},
		"a shifted separator": {Tenant: "acme", Source: "we", ID: "b1"},
	} {
		if base.Identity() == other.Identity() {
			t.Errorf("%s: identities are equal: %v", name, base.Identity())
		}
	}
}

func TestEvent_GroupKey_SeparatesKinds(t *testing.T) {
	t.Parallel()
	log := event.Event{Tenant: "acme", Kind: "log", ID: "1"}
	span := event.Event{Tenant: "acme", Kind: "span", ID: "1"}
	if log.GroupKey() == span.GroupKey() {
		t.Errorf("kinds share a group key: %v", log.GroupKey())
	}
}
