package dynamo

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attributeText is the text of a note.
const attributeText = "w"

func noteKey(name string) types.AttributeValue {
	return &types.AttributeValueMemberB{Value: append([]byte("n"), name...)}
}

// WriteNote leaves a text, of at most some kilobytes, that all environments can read under a name for a time:
// the state of a sink's breaker, for example. The last writer wins. It is one write unit for each KB.
func (s *Store) WriteNote(ctx context.Context, name string, text []byte, keep time.Duration) error {
	if _, err := s.client.PutItem(ctx, s.newNote(name, text, keep)); err != nil {
		return s.explain("write a note to", err)
	}
	return nil
}

// AddNote does so unless a note is there. Of several that try at once one has added it; when
// the reply to that one was lost and the SDK asked again, none has, and all wait for its end.
func (s *Store) AddNote(ctx context.Context, name string, text []byte, keep time.Duration) (added bool, err error) {
	in := s.newNote(name, text, keep)
	in.ConditionExpression, in.ExpressionAttributeValues = ptr(notThere), item{":now": millis(s.now())}
	_, err = s.client.PutItem(ctx, in)
	if _, there := errors.AsType[*types.ConditionalCheckFailedException](err); there {
		return false, nil
	}
	if err != nil {
		return false, s.explain("add a note to", err)
	}
	return true, nil
}

func (s *Store) newNote(name string, text []byte, keep time.Duration) *dynamodb.PutItemInput {
	it := newItem(noteKey(name), s.now().Add(keep))
	if len(text) > 0 { // servers differ about empty values
		it[attributeText] = &types.AttributeValueMemberB{Value: text}
	}
	return &dynamodb.PutItemInput{TableName: &s.table, Item: it}
}

// ReadNotes returns the texts that are there for some names, in one call for each hundred
// and one read unit for each name.
func (s *Store) ReadNotes(ctx context.Context, names ...string) (map[string][]byte, error) {
	keys := make([]item, len(names))
	for i, name := range names {
		keys[i] = item{KeyAttribute: noteKey(name)}
	}
	items, err := s.read(ctx, keys)
	if err != nil {
		return nil, err
	}
	notes := make(map[string][]byte, len(items))
	for _, it := range items {
		r := &reader{item: it}
		r.version()
		name, expiry := bytes.TrimPrefix(r.bytes(KeyAttribute), []byte("n")), r.time(attributeExpiry)
		text := []byte{}
		if it[attributeText] != nil {
			text = r.bytes(attributeText)
		}
		if r.err != nil {
			return nil, s.explain("read a note from", r.err)
		}
		if s.now().Before(expiry) {
			notes[string(name)] = text
		}
	}
	return notes, nil
}
