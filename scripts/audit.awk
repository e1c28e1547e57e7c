# SPDX-License-Identifier: GPL-2.0
# Input: FILE:LINE:HANDLER of each assignment, then what
# cocci/mkwrite_handlers.cocci says with -D audit. Output: the table of
# scripts/audit, one row per handler and per helper that handlers share.

NR == FNR {
	split($0, a, ":")
	assigned[a[3]] = a[1]
	next
}

{
	split($1, at, ":")
	fn = substr($2, 1, length($2) - 1)
	rule = substr($3, 2, length($3) - 2)
	key = at[1] " " fn
	if (rule == "function") {
		where[fn] = where[fn] " " at[1]
		defined[key] = 1
	} else if (rule == "forward") {
		to[key] = to[key] " " $4
		if (!((key, $4) in line))
			line[key, $4] = at[2]
	} else {
		v = ($4 == "undecidable:") ? "?" : "F"
		if (verdict[key, rule] != "F") {
			if (verdict[key, rule] != v)
				line[key, rule] = at[2]
			verdict[key, rule] = v
		}
	}
}

# The definition a name stands for: in this file, or the only one elsewhere.
function resolve(fn, file,   a) {
	if ((file " " fn) in defined)
		return file " " fn
	split(where[fn], a, " ")
	return (a[1] != "") ? a[1] " " fn : ""
}

# The worst that key and what it forwards to do to the rule.
function judge(key, rule, depth,   a, i, n, file, k, worst, v, mark) {
	if (depth > 9 || (key, rule, "busy") in seen)
		return "ok"
	seen[key, rule, "busy"] = 1
	mark = depth ? ">" : ":"
	worst = verdict[key, rule] ? verdict[key, rule] : "ok"
	if (worst != "ok")
		worst = worst mark (depth ? "" : line[key, rule])
	split(key, a, " ")
	file = a[1]
	n = split(to[key], a, " ")
	for (i = 1; i <= n && worst !~ /^F/; i++) {
		k = resolve(a[i], file)
		v = (k == "") ? "?" (depth ? ">" : ":" line[key, a[i]]) : judge(k, rule, depth + 1)
		if (v ~ /^F/ || worst == "ok")
			worst = v
	}
	delete seen[key, rule, "busy"]
	return worst
}

function row(key, fn, file,   i, s) {
	s = fn " " file
	for (i = 1; i <= n_rules; i++)
		s = s " " (key == "" ? "?" : judge(key, rule_name[i], 0))
	print s
}

END {
	n_rules = split(rules, rule_name, " ")
	s = "handler file"
	for (i = 1; i <= n_rules; i++)
		s = s " " rule_name[i]
	print s
	split("block_page_mkwrite iomap_page_mkwrite netfs_page_mkwrite", shared, " ")
	for (i in shared)
		if (where[shared[i]] != "" && !(shared[i] in assigned))
			assigned[shared[i]] = substr(where[shared[i]], 2)
	n = 0
	for (fn in assigned) {
		k = resolve(fn, assigned[fn])
		split(k, a, " ")
		sorted[++n] = (k == "" ? assigned[fn] : a[1]) " " fn
	}
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && sorted[j] < sorted[j - 1]; j--) {
			s = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = s
		}
	for (i = 1; i <= n; i++) {
		split(sorted[i], a, " ")
		row(resolve(a[2], a[1]), a[2], a[1])
	}
}
