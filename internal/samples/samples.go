// Package samples makes events that look like a web shop's, for demos and trials. Ids are new UUIDs; all else repeats.
package samples

import (
	"fmt"
	"time"

	"github.com/gofrs/uuid/v5"
)

// Event is one sample in the words of one protocol.
type Event struct {
	// ID is what the event will be known by.
	ID string
	// JSON is the event on one line, 400 to 600 bytes.
	JSON []byte
}

// steps are what a visitor does, in order.
func steps() []string {
	return []string{"page_viewed", "product_viewed", "cart_updated", "checkout_started", "payment.succeeded", "page_left"}
}

// visit is what all protocols say of the n-th sample.
type visit struct {
	id, step, user, path string
	cents                int
	at                   string
}

func visitOf(n int, now time.Time) (visit, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return visit{}, fmt.Errorf("sample id: %w", err)
	}
	names := steps()
	user := n / len(names) % 997 //nolint:mnd // a prime, so that users and products do not march in step
	return visit{
		id: id.String(), step: names[n%len(names)], user: fmt.Sprintf("user-%d", user),
		path: fmt.Sprintf("/shop/product-%d", n%89), cents: 199 + n*37%9800, //nolint:mnd // any numbers do
		at: now.UTC().Format("2006-01-02T15:04:05.000Z"),
	}, nil
}

// Generic returns the n-th sample in CloudEvents' words, as POST /v1/ingest takes it.
func Generic(n int, now time.Time) (Event, error) {
	v, err := visitOf(n, now)
	return Event{ID: v.id, JSON: fmt.Appendf(nil, `{"id":%q,"source":"samples","type":%q,"time":%q,"subject":%q,"data":%s}`,
		v.id, v.step, v.at, v.user, v.properties())}, err
}

// PostHog returns the n-th sample as an entry of a PostHog batch.
func PostHog(n int, now time.Time) (Event, error) {
	v, err := visitOf(n, now)
	return Event{ID: v.id, JSON: fmt.Appendf(nil, `{"uuid":%q,"event":%q,"distinct_id":%q,"timestamp":%q,"properties":%s}`,
		v.id, v.step, v.user, v.at, v.properties())}, err
}

func (v visit) properties() []byte {
	return fmt.Appendf(nil, `{"$lib":"millrace","$lib_version":"1","$current_url":"https://shop.example%s","$referrer":"https://search.example/",`+
		`"$browser":"Firefox","$os":"Linux","$screen_width":1920,"$screen_height":1080,"currency":"EUR","amount_cents":%d,"vat":0.19,`+
		`"experiment":{"name":"new-checkout","variant":"b"},"tags":["demo","größe","☕"]}`, v.path, v.cents)
}
