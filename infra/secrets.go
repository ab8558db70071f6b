package millrace

import (
	"cmp"
	"maps"
	"slices"

	"github.com/millrace-dev/millrace/pkg/config"
)

// references returns the references of one scheme in the configuration, each once, sorted.
func references(loaded *config.Config, scheme string) []config.Reference {
	found := map[config.Reference]bool{}
	for _, sink := range loaded.Sinks {
		texts := append(slices.Collect(maps.Values(sink.Headers)), sink.URL)
		for _, text := range texts {
			for _, r := range text.References() {
				if r.Scheme == scheme {
					found[r] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b config.Reference) int { return cmp.Compare(a.Name, b.Name) })
}
