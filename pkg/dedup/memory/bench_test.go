package memory_test

import (
	"testing"

	"github.com/millrace-dev/millrace/pkg/dedup/memory"
	"github.com/millrace-dev/millrace/pkg/dedup/storetest"
)

func BenchmarkStore(b *testing.B) { storetest.Bench(b, memory.New(nil)) }
