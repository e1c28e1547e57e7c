// SPDX-License-Identifier: GPL-2.0
// Numbers: what a loop has counted, the smaller one of two; a path that they rule out is no finding.
#include "kernel.h"

/* short of what the fault needs only if a block has failed: then err is set */
vm_fault_t ok_n0_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, ready = 0, want;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto out;
	}
	want = min_t(long, len, PAGE_SIZE);
	for (; !err && ready < len; ready += err ? 0 : i_blocksize(inode))
		err = foo_map_block(inode, folio_pos(folio) + ready);
	if (want > ready) {
		folio_unlock(folio);
		goto out;
	}
	folio_mark_dirty(folio);
	err = 0;
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* that one keeps the folio locked when it fails */
vm_fault_t bad_balance_n1_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, ready = 0, want;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto out;
	}
	want = min_t(long, len, PAGE_SIZE);
	for (; !err && ready < len; ready += err ? 0 : i_blocksize(inode))
		err = foo_map_block(inode, folio_pos(folio) + ready);
	if (want > ready)
		goto out;
	folio_mark_dirty(folio);
	err = 0;
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* no loop: less than asked for comes with an error only */
vm_fault_t ok_n2_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, got;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	err = foo_prepare(inode, folio);
	got = min_t(long, len, err ? 0 : folio_size(folio));
	if (got == len)
		folio_mark_dirty(folio);
	else
		folio_unlock(folio);
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* whatever err is, it is success with the folio unlocked */
vm_fault_t bad_balance_n3_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, got;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	err = foo_prepare(inode, folio);
	got = min_t(long, len, err ? 0 : folio_size(folio));
	if (got == len)
		folio_mark_dirty(folio);
	else
		folio_unlock(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

static bool n4_short(long have, long want)
{
	return have < want;
}

/* the answer first; the comparison in a helper */
vm_fault_t ok_n4_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, have = 0;
	vm_fault_t ret;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		ret = vmf_fs_error(len);
		goto out;
	}
	do {
		err = foo_map_block(inode, have);
		if (err)
			break;
		have += i_blocksize(inode);
	} while (have < len);
	ret = vmf_fs_error(err);
	if (n4_short(have, min_t(long, len, PAGE_SIZE))) {
		folio_unlock(folio);
	} else {
		folio_mark_dirty(folio);
		ret = VM_FAULT_LOCKED;
	}
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* the error of a part is an error, and the folio stays locked: on both sides of the comparison */
vm_fault_t bad_balance_n5_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, have = 0;
	vm_fault_t ret;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		ret = vmf_fs_error(len);
		goto out;
	}
	do {
		err = foo_map_block(inode, have);
		if (err)
			break;
		have += i_blocksize(inode);
	} while (have < len);
	ret = vmf_fs_error(err);
	if (!n4_short(have, min_t(long, len, PAGE_SIZE)))
		folio_mark_dirty(folio);
out:
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* counts down: nothing is left, or there was an error */
vm_fault_t ok_n6_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, block = 0, left;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	for (left = len; left > 0 && !err; block++) {
		err = foo_map_block(inode, block);
		if (!err)
			left -= min_t(long, left, i_blocksize(inode));
	}
	if (left) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(err);
	}
	folio_mark_dirty(folio);
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* the folio is unlocked on one side, and then on both */
vm_fault_t bad_balance_n7_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, block = 0, left;
	int err = 0;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	for (left = len; left > 0 && !err; block++) {
		err = foo_map_block(inode, block);
		if (!err)
			left -= min_t(long, left, i_blocksize(inode));
	}
	if (left)
		folio_unlock(folio);
	else
		folio_mark_dirty(folio);
	if (err) {
		folio_unlock(folio);
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(err);
	}
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* how far it came and the error are of one call: it comes short with an error only */
vm_fault_t ok_n8_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, done;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto out;
	}
	err = foo_map_part(inode, folio, len, &done);
	if (done < len) {
		folio_unlock(folio);
		goto out;
	}
	folio_mark_dirty(folio);
	err = 0;
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* with an error the folio stays locked, without one it is success with the folio unlocked */
vm_fault_t bad_balance_n9_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len, done;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto out;
	}
	err = foo_map_part(inode, folio, len, &done);
	if (done < len) {
		if (!err)
			folio_unlock(folio);
		goto out;
	}
	folio_mark_dirty(folio);
	err = 0;
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* the index of the fault goes into a helper, which is followed; then the rest of the folio is prepared */
static int foo_reserve_index(struct inode *inode, pgoff_t index)
{
	if (foo_has_block(inode, index))
		return 0;
	return foo_mark_delayed(inode, index);
}

vm_fault_t ok_n10_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto out;
	}
	err = foo_reserve_index(inode, vmf->pgoff);
	if (!err)
		err = foo_reserve(inode, 0, len);
	if (err) {
		folio_unlock(folio);
	} else {
		folio_mark_dirty(folio);
		vmf->prepared = len;
	}
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* a helper that is not small works out where the page is, another one makes the claim */
static int foo_begin_there(struct vm_fault *vmf, struct folio *folio)
{
	loff_t pos = (loff_t)vmf->pgoff << PAGE_SHIFT;
	struct inode *inode = file_inode(vmf->vma->vm_file);
	int err;

	if (foo_has_block(inode, vmf->pgoff))
		return 0;
	err = foo_begin(folio, pos, PAGE_SIZE);
	if (err)
		return err;
	foo_commit(folio, pos & (folio_size(folio) - 1), PAGE_SIZE);
	return 0;
}

static void foo_tell(struct vm_fault *vmf, long len)
{
	folio_mark_dirty(page_folio(vmf->page));
	vmf->prepared = len;
}

vm_fault_t ok_n11_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	long len;
	int err;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto out;
	}
	err = foo_begin_there(vmf, folio);
	if (!err)
		err = foo_reserve(inode, 0, len);
	if (err)
		folio_unlock(folio);
	else
		foo_tell(vmf, len);
out:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}
