// SPDX-License-Identifier: GPL-2.0
// A second held-back set, in styles that the first had not: correct handlers.
#include "kernel.h"

struct t_ctx { struct vm_fault *vmf; struct inode *inode; struct folio *folio; vm_fault_t ret; };

static int t01_lock(struct t_ctx *ctx)
{
	ssize_t len = filemap_mkwrite_lock(ctx->vmf);

	if (len < 0) {
		ctx->ret = vmf_fs_error(len);
		return -1;
	}
	ctx->folio = page_folio(ctx->vmf->page);
	return 0;
}

static void t01_fail(struct t_ctx *ctx, vm_fault_t why)
{
	folio_unlock(ctx->folio);
	ctx->ret = why;
}

vm_fault_t ok_s01_page_mkwrite(struct vm_fault *vmf)
{
	struct t_ctx ctx = { .vmf = vmf, .inode = file_inode(vmf->vma->vm_file), .ret = VM_FAULT_LOCKED };

	sb_start_pagefault(ctx.inode->i_sb);
	if (t01_lock(&ctx))
		goto end;
	if (foo_prepare(ctx.inode, ctx.folio))
		t01_fail(&ctx, VM_FAULT_SIGBUS);
	else
		folio_mark_dirty(ctx.folio);
end:
	sb_end_pagefault(ctx.inode->i_sb);
	return ctx.ret;
}

/* the folio is locked iff folio is not NULL */
vm_fault_t ok_s02_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = NULL;
	vm_fault_t ret;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len > 0)
		folio = page_folio(vmf->page);
	if (!folio) {
		ret = vmf_fs_error(len);
	} else if (foo_prepare(inode, folio) != 0) {
		ret = VM_FAULT_SIGBUS;
		folio_unlock(folio);
	} else {
		ret = VM_FAULT_LOCKED;
		folio_mark_dirty(folio);
	}
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* guard of an unknown name around everything, __free for memory */
vm_fault_t ok_s03_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	void *buf __free(kfree) = foo_alloc(inode);
	struct folio *folio = page_folio(vmf->page);
	ssize_t len;
	int err = -ENOMEM;

	guard(foo_super)(inode->i_sb);
	guard(rwsem_read)(&inode->i_mapping->invalidate_lock);
	sb_start_pagefault(inode->i_sb);
	if (!buf)
		goto end;
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		err = len;
		goto end;
	}
	err = foo_prepare_range(inode, folio_pos(folio), len);
	if (!err)
		folio_mark_dirty(folio);
	else
		folio_unlock(folio);
end:
	sb_end_pagefault(inode->i_sb);
	return vmf_fs_error(err);
}

/* a loop that prepares block by block, and claims what it reached */
vm_fault_t ok_s04_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	size_t bs = i_blocksize(inode), done;
	ssize_t len;

	sb_start_pagefault(inode->i_sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0) {
		sb_end_pagefault(inode->i_sb);
		return vmf_fs_error(len);
	}
	for (done = 0; done < len; done += bs) {
		if (foo_prepare_range(inode, folio_pos(folio) + done, bs)) {
			folio_unlock(folio);
			sb_end_pagefault(inode->i_sb);
			return VM_FAULT_SIGBUS;
		}
	}
	folio_mark_dirty(folio);
	vmf->prepared = len;
	sb_end_pagefault(inode->i_sb);
	return VM_FAULT_LOCKED;
}

/* shared with ->fault */
vm_fault_t ok_s05_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	vm_fault_t ret = 0;

	if (!(vmf->flags & FAULT_FLAG_WRITE))
		return filemap_fault(vmf);
	sb_start_pagefault(sb);
	switch (vmf->flags & FAULT_FLAG_MKWRITE) {
	case 0:
		break;
	default:
		ret = filemap_page_mkwrite(vmf);
	}
	sb_end_pagefault(sb);
	return ret;
}

/* i_size under a lock of its own that truncate takes, and again below the folio lock */
vm_fault_t ok_s06_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t ret = VM_FAULT_LOCKED;
	loff_t size;

	sb_start_pagefault(inode->i_sb);
	filemap_invalidate_lock_shared(inode->i_mapping);
	folio_lock(folio);
	size = i_size_read(inode);
	if (folio->mapping == inode->i_mapping) {
		if (size > folio_pos(folio)) {
			folio_mark_dirty(folio);
			goto out;
		}
	}
	ret = VM_FAULT_NOPAGE;
	folio_unlock(folio);
out:
	filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

/* tries the mutex of its own, waits if that fails */
vm_fault_t ok_s07_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct foo_inode *fi = inode->i_private;
	vm_fault_t ret;

	if (!mutex_trylock(&fi->lock)) {
		foo_count(fi);
		mutex_lock(&fi->lock);
	}
	ret = filemap_page_mkwrite(vmf);
	mutex_unlock(&fi->lock);
	return ret;
}

/* macros of its own for the ends */
#define LEAVE(sb, what) do { sb_end_pagefault(sb); return (what); } while (0)

vm_fault_t ok_s08_page_mkwrite(struct vm_fault *vmf)
{
	struct super_block *sb = file_inode(vmf->vma->vm_file)->i_sb;
	ssize_t len;

	sb_start_pagefault(sb);
	len = filemap_mkwrite_lock(vmf);
	if (len < 0)
		LEAVE(sb, vmf_fs_error(len));
	folio_mark_dirty(page_folio(vmf->page));
	LEAVE(sb, VM_FAULT_LOCKED);
}

/* hands over to the next one while it has nothing to do */
vm_fault_t ok_s09_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);

	return IS_IMMUTABLE(inode) ? VM_FAULT_SIGBUS : inode->i_size ? filemap_page_mkwrite(vmf) : VM_FAULT_NOPAGE;
}
