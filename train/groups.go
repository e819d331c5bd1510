package train

import (
	"cmp"
	"slices"
	"strings"

	"rempart/campaign"
	"rempart/corpus"
)

// deal puts mails into folds so that near copies and one sender's mails are in one, and each fold has its part of each label
// and age: the largest groups first, in turn.
func deal(mails []Mail) {
	parent := make([]int, len(mails))
	for i := range parent {
		parent[i] = i
	}
	var find func(int) int
	find = func(i int) int {
		if parent[i] != i {
			parent[i] = find(parent[i])
		}
		return parent[i]
	}
	senders := map[string]int{}
	type digested struct {
		digest campaign.Digest
		at     int
	}
	var seen []digested
	for i := range mails {
		m := corpus.Mail(mails[i].Raw)
		if sender := strings.ToLower(m.From.String()); sender != "" {
			if j, ok := senders[sender]; ok {
				parent[find(i)] = find(j)
			}
			senders[sender] = i
		}
		d, ok := campaign.Sum(m.Subject, m.VisibleText())
		if !ok {
			continue
		}
		for _, s := range seen {
			if s.digest.Distance(d) <= campaign.Near {
				parent[find(i)] = find(s.at)
			}
		}
		seen = append(seen, digested{d, i})
	}
	size := map[int]int{}
	for i := range mails {
		mails[i].group = find(i)
		size[mails[i].group]++
	}
	order := make([]int, 0, len(size))
	for group := range size {
		order = append(order, group)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(size[b], size[a]), cmp.Compare(a, b)) })
	fold := map[int]int{}
	var load [2][16][Folds]int
	for _, group := range order {
		label, age := 0, mails[group].Age%16
		if mails[group].Spam {
			label = 1
		}
		least := 0
		for k, n := range load[label][age] {
			if n < load[label][age][least] {
				least = k
			}
		}
		fold[group] = least
		load[label][age][least] += size[group]
	}
	for i := range mails {
		mails[i].Fold = fold[mails[i].group]
	}
}
