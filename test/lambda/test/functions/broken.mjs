// Can't be imported.

throw new SyntaxError('broken on purpose')
