package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func question(i int) string {
	return fmt.Sprintf("Ann has %d apples and buys %d more. How many has she?", i+2, 3*i+1)
}

func answer(i int) int { return 4*i + 3 }

// writeInputs writes a graded pool, problems and texts, all made up.
func writeInputs(dir string) error {
	var pool, problems, texts strings.Builder
	for i := range questions {
		fmt.Fprintf(&problems, "{\"id\":\"p%d\",\"question\":%q,\"answer\":\"%d\"}\n", i, question(i), answer(i))
		fmt.Fprintf(&pool, "{\"id\":\"p%d\",\"question\":%q,\"answer\":\"%d\",\"candidates\":[", i, question(i), answer(i))
		for c := range candidates {
			value := answer(i)
			if (i+c)%3 == 0 {
				value += 1 + c
			}
			text := fmt.Sprintf("She has %d apples, then %d, which makes %d. The answer is %d.", i+2, 3*i+1, value, value)
			if c > 0 {
				pool.WriteByte(',')
			}
			fmt.Fprintf(&pool, "{\"text\":%q,\"answer\":\"%d\",\"correct\":%t}", text, value, value == answer(i))
			fmt.Fprintf(&texts, "%s %s\n", question(i), text)
		}
		pool.WriteString("]}\n")
	}
	for name, text := range map[string]string{"pool.jsonl": pool.String(), "problems.jsonl": problems.String(), "texts.txt": texts.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
