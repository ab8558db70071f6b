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
	// JSON is the event on one line, about 1 KB.
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

// properties are what a browser SDK says of each event, nested and not only in ASCII.
func (v visit) properties() []byte {
	return fmt.Appendf(nil, `{"$lib":"millrace","$lib_version":"1","$session_id":"%s","$device_id":"device-%s","$window_id":"w-%s",`+
		`"$current_url":"https://shop.example%s?utm_source=newsletter&utm_campaign=spring","$pathname":%q,"$host":"shop.example",`+
		`"$referrer":"https://search.example/","$referring_domain":"search.example","$browser":"Firefox","$browser_version":143,`+
		`"$browser_language":"de-DE","$os":"Linux","$device_type":"Desktop","$timezone":"Europe/Berlin","$screen_width":1920,`+
		`"$screen_height":1080,"$viewport_width":1712,"$viewport_height":941,"$raw_user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) `+
		`Gecko/20100101 Firefox/143.0","currency":"EUR","amount_cents":%d,"vat":0.19,"experiment":{"name":"new-checkout","variant":"b"},`+
		`"cart":[{"sku":"S-%d","qty":1},{"sku":"S-%d","qty":2}],"tags":["demo","größe","☕"]}`,
		v.id, v.user, v.id[:8], v.path, v.path, v.cents, v.cents%89, v.cents%97)
}
