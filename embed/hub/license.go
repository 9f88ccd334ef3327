package hub

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// noLicense is the licence of models that name none.
const noLicense = "unknown"

// freeLicenses are free for all uses. Licences that are not listed are to be accepted by
// name.
var freeLicenses = strings.Fields(`afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0
	cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cdla-permissive-1.0 cdla-permissive-2.0 ecl-2.0 epl-1.0
	epl-2.0 gpl gpl-2.0 gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 mit mpl-2.0 ms-pl ncsa odc-by ofl-1.1 osl-3.0 postgresql unlicense wtfpl zlib`)

// FreeLicense reports whether the licence of that identifier is free for all uses.
func FreeLicense(id string) bool {
	for _, free := range freeLicenses {
		if strings.EqualFold(id, free) {
			return true
		}
	}
	return false
}

// License returns the licence that a model's folder names in its README.md, and "" if it
// names none.
func License(folder string) string {
	data, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		return ""
	}
	rest, ok := strings.CutPrefix(strings.ReplaceAll(string(data), "\r\n", "\n"), "---\n")
	if !ok {
		return ""
	}
	front, _, ok := strings.Cut(rest, "\n---")
	if !ok {
		return ""
	}
	var card struct {
		License any `yaml:"license"`
	}
	if yaml.Unmarshal([]byte(front), &card) != nil {
		return ""
	}
	return licenseOf(card.License)
}

// licenseOf reads a licence, which may be a list.
func licenseOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		ids := make([]string, len(v))
		for i, id := range v {
			ids[i] = fmt.Sprint(id)
		}
		return strings.Join(ids, "+")
	}
	return ""
}
