package dynamodb

import (
	"cmp"
	"errors"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

const (
	// maxItemBytes bounds an item. Source: Amazon DynamoDB Developer Guide, "Quotas".
	maxItemBytes = 400 << 10
	// maxKeyBytes bounds a partition key. Source: the same.
	maxKeyBytes = 2048
	// maxBatchKeys is the most keys of one BatchGetItem. Source: Amazon DynamoDB API Reference.
	maxBatchKeys = 100
	// maxPageItems is the most items of one page of a Scan. It is ours: AWS ends a page at 1 MB.
	maxPageItems = 1000
)

// idOf returns what identifies an item in its table: type and value of its key.
func (t *table) idOf(it item) (string, error) {
	key, there := it[t.Key]
	switch {
	case !there:
		return "", errValidation("One or more parameter values were invalid: Missing the key %s in the item", t.Key)
	case key.kind != t.Type:
		return "", errValidation("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", t.Key, t.Type, key.kind)
	case key.data == "" || len(key.data) > maxKeyBytes:
		return "", errValidation("One or more parameter values are not valid. The size of the key %s must be between 1 and %d bytes", t.Key, maxKeyBytes)
	}
	return t.Type + key.data, nil
}

// idOfKey is idOf for a Key parameter, which has no other attributes.
func (t *table) idOfKey(key item) (string, error) {
	id, err := t.idOf(key)
	if err != nil || len(key) != 1 {
		return "", errValidation("The provided key element does not match the schema")
	}
	return id, nil
}

func (t *table) journalKey(id string) []byte { return []byte(itemPrefix + t.Name + "\x00" + id) }

// sweep removes expired items, when there are many. The caller holds the lock.
func (s *Service) sweep(t *table, now time.Time) {
	if t.TTL == "" || len(t.items) < t.sweepAt {
		return
	}
	today := new(big.Rat).SetInt64(now.Unix())
	for id, it := range t.items {
		if end := it[t.TTL].number; end != nil && end.Cmp(today) < 0 {
			delete(t.items, id)
			s.journal.Delete(t.journalKey(id))
		}
	}
	t.sweepAt = max(firstSweep, 2*len(t.items))
}

type putInput struct {
	TableName                           string
	Item                                item
	ConditionExpression                 string
	ExpressionAttributeValues           item
	ReturnValuesOnConditionCheckFailure string
}

func (s *Service) putItem(in putInput) (nothing struct{}, err error) {
	condition, err := parseCondition(in.ConditionExpression, in.ExpressionAttributeValues)
	if err != nil {
		return nothing, err
	}
	text, _ := json.Marshal(in.Item) // it is what was sent
	if len(text) > maxItemBytes {
		return nothing, errValidation("Item size has exceeded the maximum allowed size")
	}
	return nothing, s.onTable(in.TableName, func(t *table) error {
		id, err := t.idOf(in.Item)
		if err != nil {
			return err
		}
		if old := t.items[id]; !condition.holds(old) {
			refusal := awsjson.Refuse("ConditionalCheckFailedException", "The conditional request failed")
			if in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
				refusal.Item = old
			}
			return refusal
		}
		if s.journal.Full() {
			return errors.New("the disk of the data directory is nearly full")
		}
		s.sweep(t, time.Now())
		t.items[id] = in.Item
		s.journal.Set(t.journalKey(id), text)
		return nil
	})
}

type getInput struct {
	TableName      string
	Key            item
	ConsistentRead bool
}

type getOutput struct {
	Item item `json:",omitempty"`
}

func (s *Service) getItem(in getInput) (out getOutput, err error) {
	err = s.onTable(in.TableName, func(t *table) error {
		id, err := t.idOfKey(in.Key)
		out.Item = t.items[id]
		return err
	})
	return out, err
}

type batchGetInput struct {
	RequestItems map[string]struct {
		Keys           []item
		ConsistentRead bool
	}
}

type batchGetOutput struct {
	Responses       map[string][]item
	UnprocessedKeys struct{}
}

func (s *Service) batchGetItem(in batchGetInput) (out batchGetOutput, err error) {
	keys := 0
	for _, wanted := range in.RequestItems {
		keys += len(wanted.Keys)
	}
	if keys == 0 || keys > maxBatchKeys {
		return out, errValidation("The batch get request must contain 1 to %d keys, not %d", maxBatchKeys, keys)
	}
	out.Responses = make(map[string][]item)
	err = s.locked(func() error {
		for name, wanted := range in.RequestItems {
			t, err := s.table(name)
			if err != nil {
				return err
			}
			if out.Responses[name], err = t.find(wanted.Keys); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// find returns the items of those keys that are there.
func (t *table) find(keys []item) (found []item, err error) {
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		id, err := t.idOfKey(key)
		if err != nil {
			return nil, err
		}
		if seen[id] {
			return nil, errValidation("Provided list of item keys contains duplicates")
		}
		seen[id] = true
		if it, there := t.items[id]; there {
			found = append(found, it)
		}
	}
	return found, nil
}

type scanInput struct {
	TableName         string
	Limit             int
	ExclusiveStartKey item
	Select            string
	ConsistentRead    bool
}

type scanOutput struct {
	Items            []item
	Count            int
	ScannedCount     int
	LastEvaluatedKey item `json:",omitempty"`
}

// scan returns items in the order of their keys, a page at a time.
func (s *Service) scan(in scanInput) (out scanOutput, err error) {
	if in.Limit < 0 {
		return out, errValidation("Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", in.Limit)
	}
	err = s.onTable(in.TableName, func(t *table) (err error) {
		after := ""
		if in.ExclusiveStartKey != nil {
			if after, err = t.idOfKey(in.ExclusiveStartKey); err != nil {
				return err
			}
		}
		for _, id := range slices.Sorted(maps.Keys(t.items)) {
			if id <= after {
				continue
			}
			if out.Count == min(cmp.Or(in.Limit, maxPageItems), maxPageItems) {
				last := out.Items[out.Count-1]
				out.LastEvaluatedKey = item{t.Key: last[t.Key]}
				break
			}
			out.Items = append(out.Items, t.items[id])
			out.Count++
		}
		return nil
	})
	out.ScannedCount = out.Count
	if in.Select == "COUNT" {
		out.Items = nil
	}
	return out, err
}
